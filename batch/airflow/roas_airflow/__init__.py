"""`./roas airflow`: backfill event days, log in, and Airflow's own command line."""

__version__ = "0.1.0"
SERVICE = "airflow"
