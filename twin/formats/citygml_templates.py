"""Templates of CityGML 2.0 (implicit geometry), each written where it is used first, and ids of geometry."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from xml.sax.saxutils import escape, quoteattr

import orjson

from twin.formats.citygml_appearance import Looks, shown_faces, unwritten
from twin.formats.citygml_gml import Gml, coordinates, point
from twin.model.geometry import Geometry, Instance


class Shapes:
    """Gives geometries the ids that links and appearances need; ``ledger`` counts what is lost."""

    def __init__(self, ledger: Counter[str]) -> None:
        self.ledger = ledger
        self._templates: set[str] = set()

    def instance(self, geometry: Geometry, instance: Instance, looks: Looks) -> str:
        """A template at its place; the first one that uses it has its geometry."""
        identifier = f"template_{_digest(instance.template)}"
        if identifier in self._templates:
            shape = f"<core:relativeGMLGeometry xlink:href={quoteattr('#' + identifier)}/>"
        else:
            self._templates.add(identifier)
            inner = self._template(identifier, instance.template, looks)
            shape = f"<core:relativeGMLGeometry>{inner}</core:relativeGMLGeometry>"
        matrix = coordinates(instance.matrix.tolist())
        place = point(geometry.xyz[0].tolist())
        return (
            f"<core:ImplicitGeometry><core:transformationMatrix>{matrix}</core:transformationMatrix>{shape}"
            f"<core:referencePoint>{place}</core:referencePoint></core:ImplicitGeometry>"
        )

    def _template(self, identifier: str, template: Geometry, looks: Looks) -> str:
        if template.semantics:
            self.ledger["surfaces of templates"] += 1
        gml = self.gml(identifier, template, looks)
        text = gml.whole()
        at = text.index(">")
        return f"{text[:at]} gml:id={quoteattr(identifier)}{text[at:]}"

    def gml(self, identifier: str, geometry: Geometry, looks: Looks, linked: Iterable[int] = ()) -> Gml:
        """A geometry on its way to GML, with ids where links or appearances need them."""
        named = set(linked)
        if geometry.appearance is not None:
            named |= shown_faces(geometry.appearance, geometry.surface_start.tolist())
            self.ledger.update(f"appearance {name}" for name in unwritten(geometry.appearance))
        gml = Gml(identifier, geometry, named)
        if geometry.appearance is not None:
            looks.take(gml, geometry.appearance)
        return gml


def _digest(template: Geometry) -> str:
    arrays = (template.xyz, template.ring_start, template.surface_start, template.shell_start)
    described = repr((template.type, template.lod, [array.tolist() for array in arrays]))
    looks = template.appearance
    painted = b"" if looks is None else orjson.dumps([looks.materials, looks.textures])
    return blake2b(described.encode() + painted, digest_size=8).hexdigest()


def outside(geometry: Geometry) -> str:
    """The place of a template in another file, as the reader of CityGML keeps it."""
    known = geometry.semantics[0].attributes
    kind = known.get("mimeType")
    mime = f"<core:mimeType>{escape(str(kind))}</core:mimeType>" if kind else ""
    matrix = " ".join(map(str, known.get("transformationMatrix", ())))
    turned = f"<core:transformationMatrix>{matrix}</core:transformationMatrix>" if matrix else ""
    name = escape(str(known.get("libraryObject") or ""))
    library = f"<core:libraryObject>{name}</core:libraryObject>"
    place = f"<core:referencePoint>{point(geometry.xyz[0].tolist())}</core:referencePoint>"
    return f"<core:ImplicitGeometry>{mime}{turned}{library}{place}</core:ImplicitGeometry>"
