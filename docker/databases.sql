-- Run once by PostgreSQL's image, when its volume is empty. The image makes the database named by POSTGRES_DB (airflow).
CREATE DATABASE warehouse
    TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
