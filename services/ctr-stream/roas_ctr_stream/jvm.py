"""The way into the JVM: PyFlink's own bridge, with our jars on it.

PyFlink 2.2 wraps most of Flink in Python, but not what this job needs most: a Kafka deserializer
that sees the whole record, an operator in the source's chain, side outputs without a Python
worker, the naming of transactions. Those are used through py4j, here and in `job.py` only.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import add_jars_to_context_class_loader, to_jarray

_OURS = "marketingroas.ctrstream"


class Jvm:
    """Java classes by name, and arrays and tags of them.

    Args:
        jars: our jar and everything it needs that Flink itself does not have.
    """

    def __init__(self, jars: Sequence[Path]) -> None:
        self._jars = [str(jar) for jar in jars]
        self.java = get_gateway().jvm
        """Every Java class, by its full name as attributes."""
        add_jars_to_context_class_loader([jar.as_uri() for jar in jars])
        self.ours = self.java.marketingroas.ctrstream
        """The classes of services/ctr-stream/java."""

    def strings(self, values: Sequence[str]) -> Any:
        """A `String[]`."""
        return to_jarray(self.java.java.lang.String, list(values))

    def array(self, class_name: str, values: Sequence[Any]) -> Any:
        """An array of one of our classes."""
        return to_jarray(getattr(self.ours, class_name), list(values))

    def type_of(self, class_name: str) -> Any:
        """Flink's type information for one of our classes."""
        loader = self.java.java.lang.Thread.currentThread().getContextClassLoader()
        java_class = loader.loadClass(f"{_OURS}.{class_name}")
        return self.java.org.apache.flink.api.common.typeinfo.TypeInformation.of(java_class)

    def side_output(self, name: str, class_name: str) -> Any:
        """A tag for a side output of one of our classes."""
        return self.java.org.apache.flink.util.OutputTag(name, self.type_of(class_name))

    def cluster_environment(
        self, url: str, options: Mapping[str, str]
    ) -> StreamExecutionEnvironment:
        """An environment that submits to a session cluster, our jars with the job.

        PyFlink's `get_execution_environment` runs locally whatever `execution.target` says.
        """
        address = urlsplit(url)
        environments = self.java.org.apache.flink.streaming.api.environment
        return StreamExecutionEnvironment(
            environments.StreamExecutionEnvironment.createRemoteEnvironment(
                address.hostname,
                address.port or 80,
                self._configuration(options),
                self.strings(self._jars),
            )
        )

    def local_environment(self, options: Mapping[str, str]) -> StreamExecutionEnvironment:
        """An environment that runs the job in this process' own JVM."""
        environments = self.java.org.apache.flink.streaming.api.environment
        return StreamExecutionEnvironment(
            environments.StreamExecutionEnvironment.createLocalEnvironment(
                self._configuration(options)
            )
        )

    def _configuration(self, options: Mapping[str, str]) -> Any:
        configuration = self.java.org.apache.flink.configuration.Configuration()
        for name, value in options.items():
            configuration.setString(name, value)
        return configuration
