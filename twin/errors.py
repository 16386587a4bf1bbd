"""One tree for every error that a person may meet.

    TwinError
    ├── InputError                  a file cannot be used as it is
    │   ├── UnreadableFile          not well-formed, truncated or of no known format
    │   ├── UnknownReferenceSystem  a CRS is stated that is not known
    │   └── AxisOrderUnclear        coordinates fit neither axis order of their CRS
    ├── RequestError                a request cannot be answered as it stands
    │   ├── InvalidParameter        unknown or ill-formed parameter
    │   ├── InvalidFilter           a CQL2 filter that cannot be parsed or compiled
    │   └── NotFound                no such collection, item, tile or dataset
    └── ServiceError                the machine or the database does not do its part
        ├── DatabaseUnavailable     no connection, or PostGIS is missing
        └── ToolMissing             a program or package that has to be installed

A message says what happened, where (file, line or byte, object) and what to do.
"""


class TwinError(Exception):
    """Base of all errors with a message meant for people."""


class InputError(TwinError):
    """A file cannot be used as it is."""


class UnreadableFile(InputError):
    """The file is not well-formed, ends too early, or is of no known format."""


class UnknownReferenceSystem(InputError):
    """A coordinate reference system is stated that is not known."""


class AxisOrderUnclear(InputError):
    """The coordinates fit neither axis order of their reference system."""


class RequestError(TwinError):
    """A request cannot be answered as it stands."""


class InvalidParameter(RequestError):
    """A parameter is unknown or ill-formed."""


class InvalidFilter(RequestError):
    """A CQL2 filter that cannot be parsed or compiled."""


class NotFound(RequestError):
    """There is no such collection, item, tile or dataset."""


class ServiceError(TwinError):
    """The machine or the database does not do its part."""


class DatabaseUnavailable(ServiceError):
    """No connection to the database, or PostGIS is missing in it."""


class ToolMissing(ServiceError):
    """A program or package has to be installed first."""
