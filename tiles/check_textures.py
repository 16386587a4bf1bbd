"""What is wrong with the images of a glTF: indices, bytes that are no image, places outside of it."""

import io
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Array: TypeAlias = npt.NDArray[Any]
Json: TypeAlias = dict[str, Any]
Problems: TypeAlias = Iterator[tuple[str, str, str]]

_KINDS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_LARGEST = 2_048
"""What every client can take."""

_FILTERS = {"magFilter": {9728, 9729}, "minFilter": {9728, 9729, 9984, 9985, 9986, 9987}}
_WRAPS = {33071, 33648, 10497}
_REPEAT = 10497
_ALPHA = {"OPAQUE", "MASK", "BLEND"}


def check_textures(document: Json, view: Callable[[int], bytes]) -> Problems:
    """Problems as place, code and words; ``view`` gives the bytes of a buffer view."""
    for number, image in enumerate(_pool(document, "images")):
        yield from _check_image(f"/images/{number}", image, view)
    for number, sampler in enumerate(_pool(document, "samplers")):
        for name, known in (*_FILTERS.items(), ("wrapS", _WRAPS), ("wrapT", _WRAPS)):
            if sampler.get(name, min(known)) not in known:
                yield f"/samplers/{number}/{name}", "sampler", f"There is no {name} {sampler[name]}."
    for number, texture in enumerate(_pool(document, "textures")):
        yield from _check_index(f"/textures/{number}/source", texture.get("source"), document, "images")
        if "sampler" in texture:
            yield from _check_index(f"/textures/{number}/sampler", texture["sampler"], document, "samplers")
    for number, material in enumerate(_pool(document, "materials")):
        yield from _check_material(f"/materials/{number}", material, document)


def _pool(document: Json, name: str) -> list[Json]:
    return document.get(name, [])


def _check_material(place: str, material: Json, document: Json) -> Problems:
    look = _look(material)
    if look is not None:
        here = f"{place}/pbrMetallicRoughness/baseColorTexture/index"
        yield from _check_index(here, look.get("index"), document, "textures")
    if material.get("alphaMode", "OPAQUE") not in _ALPHA:
        yield f"{place}/alphaMode", "alpha-mode", "alphaMode is none that glTF knows."


def check_places(document: Json, primitive: Json, attributes: dict[str, Array]) -> Iterator[tuple[str, str]]:
    """What is wrong with texture coordinates, as code and words; ``attributes`` as they are stored."""
    materials = _pool(document, "materials")
    number: int | None = primitive.get("material")
    if number is None:
        return
    if not 0 <= number < len(materials):
        yield "dangling-material", f"There is no material {number}."
        return
    look = _look(materials[number])
    if look is None:
        return
    name = f"TEXCOORD_{look.get('texCoord', 0)}"
    if name not in attributes:
        yield "no-texture-coordinates", f"The material has a texture, but there is no {name}."
        return
    accessor: Json = document["accessors"][primitive["attributes"][name]]
    values = attributes[name]
    if values.dtype.kind != "f" and not accessor.get("normalized", False):
        yield "texture-coordinates", f"{name} is of whole numbers that are not normalized."
        return
    shares = values / np.iinfo(values.dtype).max if values.dtype.kind != "f" else values
    outside = ((shares < 0.0) | (shares > 1.0)).any(axis=1)
    if outside.any() and not _repeats(document, look):
        yield "texture-coordinates", f"{int(outside.sum())} vertices have {name} outside of the image."


def _look(material: Json) -> Json | None:
    reflection: Json = material.get("pbrMetallicRoughness", {})
    return reflection.get("baseColorTexture")


def _repeats(document: Json, look: Json) -> bool:
    """Whether the image is laid out again and again: so it is where nobody says otherwise."""
    textures, samplers = _pool(document, "textures"), _pool(document, "samplers")
    number: int = look.get("index", -1)
    sampler: int | None = textures[number].get("sampler") if 0 <= number < len(textures) else None
    if sampler is None or not 0 <= sampler < len(samplers):
        return sampler is None
    return all(samplers[sampler].get(name, _REPEAT) == _REPEAT for name in ("wrapS", "wrapT"))


def _check_index(place: str, number: Any, document: Json, pool: str) -> Problems:
    if not isinstance(number, int) or not 0 <= number < len(document.get(pool, [])):
        yield place, f"dangling-{pool.removesuffix('s')}", f"There is no {number!r} among the {pool}."


def _check_image(place: str, image: Json, view: Callable[[int], bytes]) -> Problems:
    kind = _KINDS.get(str(image.get("mimeType")))
    if kind is None or "bufferView" not in image:
        yield place, "image-type", f"{image.get('mimeType')!r} of a buffer view is no type of images here."
        return
    try:
        with Image.open(io.BytesIO(view(image["bufferView"]))) as found:
            width, height = found.size
            if max(width, height) > _LARGEST:
                yield place, "image-size", f"The image has {width} x {height} pixels."
                return
            found.load()
            if found.format != kind:
                yield place, "image-type", f"The image is of the type {found.format}, not {kind}."
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        yield place, "image", f"The image cannot be decoded: {error}."
