"""Features easting first, whatever the order of their file: what is stored, hashed and measured."""

from dataclasses import replace

from twin.model.axis import AxisOrder, swap
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry


def east_first(feature: CityFeature, order: AxisOrder) -> CityFeature:
    """The feature with coordinates in the order of the database."""
    if order == "en":
        return feature
    return replace(feature, objects=tuple(map(_object, feature.objects)))


def _object(item: CityObject) -> CityObject:
    addresses = tuple(
        replace(address, location=address.location and _geometry(address.location))
        for address in item.addresses
    )
    return replace(item, geometries=tuple(map(_geometry, item.geometries)), addresses=addresses)


def _geometry(geometry: Geometry) -> Geometry:
    """A template keeps its own axes; what its matrix gives has those of the file."""
    instance = geometry.instance
    if instance is not None:
        instance = replace(instance, matrix=instance.matrix[[1, 0, 2, 3]])
    return replace(geometry, xyz=swap(geometry.xyz, "ne"), instance=instance)
