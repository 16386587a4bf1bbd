"""Groups of CityGML: who is in one, by which role; and ids of objects that have none."""

from hashlib import blake2b

from importers.citygml_names import Names
from importers.gml import gml_id
from importers.xml_stream import Element, serialise


def group_member(element: Element, names: Names) -> tuple[Element, str | None]:
    """The element that holds or links a member, and its role.

    The role is an attribute until CityGML 3.0, which has an object between the group and its member.
    """
    role = element.get("role")
    if not len(element) or names[element[0].tag].local != "Role":
        return element, role
    member = element
    for child in element[0]:
        local = names[child.tag].local
        if local == "role":
            role = (child.text or "").strip() or None
        elif local == "groupMember":
            member = child
    return member, role


def object_id(element: Element) -> str:
    """The gml:id of an object; the same content without one gets the same id in every delivery."""
    return gml_id(element) or f"content-{blake2b(serialise(element), digest_size=12).hexdigest()}"
