"""x"""


def measure_airflow(bench):
    return iter(())
