"""What tells of which building a part or a surface is."""

from twin.model.attribute import Attribute, Group, Origin, Words

BUILDING = Attribute(
    "building",
    "text",
    Group.IDENTITY,
    Origin.TWIN,
    label=Words("Building", "Rakennus", "Hoone", "Byggnad"),
    meaning=Words(
        "The id of the building in the collection of buildings.",
        "Rakennuksen tunnus rakennusten kokoelmassa.",
        "Hoone tunnus hoonete kogus.",
        "Byggnadens id i samlingen av byggnader.",
    ),
    method="dataset.object_id",
)

PARENT = Attribute(
    "parent",
    "text",
    Group.IDENTITY,
    Origin.TWIN,
    label=Words("Parent", "Ylempi kohde", "Ülemobjekt", "Överordnat objekt"),
    meaning=Words(
        "The id of what the part belongs to at once: its building, or another part of that.",
        "Sen tunnus, johon osa välittömästi kuuluu: rakennuksen tai sen toisen osan.",
        "Selle tunnus, mille juurde osa vahetult kuulub: hoone või selle teise osa.",
        "Id för det som delen närmast hör till: byggnaden eller en annan del av den.",
    ),
    term="CityJSON: parents",
    method="dataset.object_id",
)
