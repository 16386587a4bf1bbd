"""The images of textures beside an exported model, under the names that the model gives them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from twin.errors import InputError
from twin.model.appearance import Appearance, Member
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry
from twin.model.image_names import plain_name
from twin.processing.skins import IMAGE_HASH


@dataclass(slots=True)
class ExportedImages:
    """Which images features show, each by a name of its own: of two with one name the second gets another."""

    _hashes: dict[str, str] = field(default_factory=dict[str, str])
    _names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def taken(self, feature: CityFeature) -> CityFeature:
        """The feature with the names under which its images are written, which are noted."""
        renamed = False
        for look in _looks(feature):
            for texture, image in zip(look.textures, look.images, strict=False):
                name = _name_of(texture)
                if image and name is not None:
                    renamed |= self._free(name, image) != name
        return replace(feature, objects=tuple(map(self._of_object, feature.objects))) if renamed else feature

    def _free(self, name: str, image: str) -> str:
        """The name of an image that no other image has."""
        free = self._names.get((name, image))
        if free is None:
            path = PurePosixPath(name)
            taken = self._hashes.get(name, image) != image
            free = str(path.with_stem(f"{path.stem}-{image}")) if taken else name
            self._names[name, image], self._hashes[free] = free, image
        return free

    def _of_object(self, item: CityObject) -> CityObject:
        return replace(item, geometries=tuple(map(self._of_geometry, item.geometries)))

    def _of_geometry(self, geometry: Geometry) -> Geometry:
        if geometry.instance is not None:
            template = self._of_geometry(geometry.instance.template)
            geometry = replace(geometry, instance=replace(geometry.instance, template=template))
        look = geometry.appearance
        if look is None or not look.images:
            return geometry
        textures = tuple(map(self._of_texture, look.textures, look.images))
        return replace(geometry, appearance=replace(look, textures=textures))

    def _of_texture(self, texture: Member, image: str) -> Member:
        name = _name_of(texture)
        free = name if name is None or not image else self._free(name, image)
        return texture if free == name else {**texture, "image": free}

    def write(self, folder: Path, stored: Callable[[str], bytes]) -> int:
        """Writes them into a folder, but for those that are there already; how many they are.

        ``stored`` gives an image by its hash.

        InputError, before anything is written, where a file of such a name has another content, or a link
        leads out of the folder; later where it cannot be written to.
        """
        missing = [
            (name, image) for name, image in self._hashes.items() if not _is_there(folder, name, image)
        ]
        for name, image in missing:
            try:
                _put(folder / name, stored(image))
            except OSError as error:
                reason = f"{folder / name}: the image cannot be written ({error.strerror})"
                raise InputError(reason) from error
        return len(self._hashes)


_ENDINGS = (".png", ".jpg", ".jpeg")


def _name_of(texture: Member) -> str | None:
    """The path of an image in the folder; None where it is none, or one that a delivery should not make.

    A file is an image by its ending, and none that is hidden: ``.ssh/a.png`` or ``run.sh`` is not written.
    """
    name = plain_name(str(texture.get("image") or ""))
    if name is None or not name.lower().endswith(_ENDINGS):
        return None
    return None if any(step.startswith(".") for step in name.split("/")) else name


def _is_there(folder: Path, name: str, image: str) -> bool:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{file}: a link leads out of the folder; export into another one.")
    if not file.exists():
        return False
    if blake2b(file.read_bytes(), digest_size=IMAGE_HASH).hexdigest() != image:
        raise InputError(f"{file}: there is another file of this name; export into another folder.")
    return True


def _put(file: Path, data: bytes) -> None:
    """Writes a file that takes its name when it is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _looks(feature: CityFeature) -> Iterator[Appearance]:
    for item in feature:
        for geometry in item.geometries:
            shapes = [geometry] if geometry.instance is None else [geometry, geometry.instance.template]
            yield from (shape.appearance for shape in shapes if shape.appearance is not None)
