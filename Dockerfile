# Airflow 3.3.2 with what Headwater needs.
#
# The slim image holds Airflow alone, without the forty providers of the full one. So one lock file can say which version
# of everything is there: nothing that the image brought is left behind at odds with ours (the full image pins
# SQLAlchemy and pandas below what the warehouse and the health assessment need), and hashes are checked.
FROM apache/airflow:slim-3.3.2-python3.12

COPY --chown=airflow:0 docker/requirements.txt /opt/airflow/requirements.txt
RUN pip install --no-cache-dir --require-hashes -r /opt/airflow/requirements.txt

# Where the volume of the sandbox goes: any user of group 0 may write, as in Airflow's own folders.
RUN mkdir -p /opt/airflow/sandbox && chmod g+rwx /opt/airflow/sandbox

# Compose mounts these four from the checkout; an image that runs elsewhere has them inside.
COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 headwater_platforms-1.dist-info /opt/airflow/headwater_platforms-1.dist-info
COPY --chown=airflow:0 docker/prepare.sh /opt/airflow/docker/prepare.sh
ENV PYTHONPATH=/opt/airflow
