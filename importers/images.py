"""The images of textures, which stand beside a model: kept by their content, within bounds.

An image that cannot be had costs its texture and nothing else.
"""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from importers.image_size import size_of
from importers.image_sources import ImageSource, Unusable
from importers.port import Refused
from twin.model.appearance import Appearance
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry
from twin.processing.skins import IMAGE_HASH

MOST_PIXELS = 1 << 25
"""8,192 x 4,096: what a tile can unpack beside others without running out of memory."""

_FORMATS = ("JPEG", "PNG")
_DRAFT = (64, 64)
"""To find out whether a JPEG is whole, it may be unpacked as small as it can be."""


def check_image(data: bytes) -> None:
    """Raises Unusable for what is no whole image of a size that can be shown."""
    # Most models have no images, and what reads them takes 5 MB.
    from PIL import Image

    size = size_of(data)
    if size is None:
        raise Unusable("it is no JPEG or PNG")
    if size[0] * size[1] > MOST_PIXELS:
        raise Unusable(f"it has {size[0]} x {size[1]} pixels, and more than {MOST_PIXELS} are not shown")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.draft(None, _DRAFT)
            image.load()
    except (OSError, SyntaxError, ValueError, zlib.error) as error:
        raise Unusable(f"it is damaged ({error})") from error


@dataclass(slots=True)
class Images:
    """The images of one model: which were found, by name, and why the others were not.

    ``default`` are the themes that the model wants to be shown, of textures and of materials.
    """

    source: ImageSource
    default: tuple[str | None, str | None] = (None, None)
    hashes: dict[str, str] = field(default_factory=dict[str, str])
    lost: list[Refused] = field(default_factory=list[Refused])
    _written: set[str] = field(default_factory=set[str])

    @property
    def kept(self) -> int:
        """How many different images there are."""
        return len({found for found in self.hashes.values() if found})

    def of(self, feature: CityFeature) -> CityFeature:
        """The feature, with its appearances knowing their images and what is to be shown of them."""
        if not any(_looks(geometry) for item in feature for geometry in item.geometries):
            return feature
        return replace(feature, objects=tuple(self._of_object(item) for item in feature))

    def _of_object(self, item: CityObject) -> CityObject:
        return replace(item, geometries=tuple(map(self._of_geometry, item.geometries)))

    def _of_geometry(self, geometry: Geometry) -> Geometry:
        if geometry.instance is not None and geometry.instance.template.appearance is not None:
            template = self._of_geometry(geometry.instance.template)
            geometry = replace(geometry, instance=replace(geometry.instance, template=template))
        look = geometry.appearance
        return geometry if look is None else replace(geometry, appearance=self._of_look(look))

    def _of_look(self, look: Appearance) -> Appearance:
        found = tuple(self._hash(member.get("image")) for member in look.textures)
        texture, material = self.default
        return replace(
            look,
            images=found if any(found) else (),
            default_texture=texture if texture in look.texture else None,
            default_material=material if material in look.material else None,
        )

    def _hash(self, name: object) -> str:
        """The hash of an image by its name; "" where it cannot be had, which is noted once."""
        known = str(name or "")
        if known not in self.hashes:
            try:
                data = self.source.read(known)
                check_image(data)
                self.hashes[known] = _hash(data)
            except Unusable as reason:
                self.hashes[known] = ""
                suggestion = "the faces that it is on are shown in plain colours"
                self.lost.append(Refused("image", None, known, str(reason), suggestion))
        return self.hashes[known]

    def rows(self, used: set[str], dataset_id: int) -> Iterator[dict[str, Any]]:
        """Rows of those images that were not given before, by hash; the files are read once more."""
        names = {found: name for name, found in self.hashes.items()}
        for image in sorted(used - self._written):
            data = self.source.read(names[image])
            self._written.add(image)
            if _hash(data) == image:
                yield {"hash": bytes.fromhex(image), "dataset_id": dataset_id, "image": data}


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=IMAGE_HASH).hexdigest()


def _looks(geometry: Geometry) -> bool:
    template = geometry.instance.template if geometry.instance is not None else geometry
    return geometry.appearance is not None or template.appearance is not None


def used(feature: CityFeature) -> Iterator[str]:
    """The hashes of the images of a feature."""
    for item in feature:
        for geometry in item.geometries:
            shapes = [geometry, geometry.instance.template] if geometry.instance is not None else [geometry]
            for look in (shape.appearance for shape in shapes):
                yield from filter(None, look.images if look is not None else ())
