"""Pages of features and single features over HTTP."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.app import create_app
from api.security.caller import public
from tests.api.client import Client, serving
from tests.api.seeding import ALTERNATIVE, PRIMARY, Seeded, overlaps
from twin.db.engine import Database

TOWNS = ",".join(PRIMARY)


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [feature["id"] for feature in response.json()["features"]]


def detail(response: httpx.Response, status: int = 400) -> str:
    """The explanation of a problem document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    return body["detail"]


def next_of(response: httpx.Response) -> str | None:
    """The address of the next page, the same in the body and in the Link header."""
    found = [link["href"] for link in response.json()["links"] if link["rel"] == "next"]
    header = response.links.get("next", {}).get("url")
    assert [header] == (found or [None])
    return header


@pytest.mark.parametrize("limit", [1, 7, 60, 119, 120, 500])
def test_paging_visits_every_feature_once(client: Client, seeded_towns: list[Seeded], limit: int) -> None:
    visited: list[str] = []
    page = client.items(dataset=TOWNS, limit=limit)
    while True:
        assert page.json()["numberReturned"] == len(ids(page)) <= limit
        visited += ids(page)
        address = next_of(page)
        if address is None:
            break
        page = client.request("GET", address)
    assert visited == sorted(item.id for item in seeded_towns)


def test_a_feature_is_served_as_it_is_stored(client: Client, seeded_towns: list[Seeded]) -> None:
    stored = {item.id: item.geojson for item in seeded_towns}
    for feature in client.items(dataset=TOWNS, limit=5).json()["features"]:
        assert feature == stored[feature["id"]]
        assert client.get(f"/collections/buildings/items/{feature['id']}").json().items() >= feature.items()


def test_remembered_features_are_as_those_that_were_read(client: Client, seeded_towns: list[Seeded]) -> None:
    stored = {item.id: item.geojson for item in seeded_towns}
    for _ in range(2):
        for feature in client.items(dataset=TOWNS, limit=5).json()["features"]:
            assert feature == stored[feature["id"]]
    for feature in client.items(dataset=TOWNS, limit=5, properties="attributes").json()["features"]:
        assert feature["properties"] == {"attributes": {"owner": "a person", "kerrosluku": "3"}}


def test_the_limit_is_cut_to_the_maximum(database: Database, seeded_towns: list[Seeded]) -> None:
    assert seeded_towns
    small = database.settings.model_copy(update={"max_limit": 5})
    with serving(create_app(database.reader(), small)) as client:
        assert len(ids(client.items(dataset=TOWNS, limit=10_000))) == 5
        assert len(ids(client.items(dataset=TOWNS))) == 5


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", "٣", "9" * 30])
def test_a_limit_that_is_none_is_refused(client: Client, limit: str) -> None:
    assert "'limit'" in detail(client.items(limit=limit))


def test_a_cursor_belongs_to_its_request(client: Client) -> None:
    address = next_of(client.items(city="hill", filter="height_m > 5", limit=3))
    assert address is not None
    cursor = parse_qs(urlsplit(address).query)["cursor"][0]
    same = client.items(city="hill", filter="height_m > 5", limit=10, cursor=cursor)
    assert same.status_code == 200
    for other in ({"filter": "height_m > 6"}, {"filter": "height_m > 5", "city": "harbour"}, {}):
        assert "another request" in detail(client.items(cursor=cursor, **other))
    for broken in ("x", "", "....", "AAAAAAAAAAA", cursor[:10], "%00", "ä"):
        assert "'cursor'" in detail(client.items(city="hill", filter="height_m > 5", cursor=broken))


@pytest.mark.parametrize(
    "box",
    [
        (24.95, 60.17, 24.9505, 60.1705),
        (24.9504, 60.1704, 24.96, 60.18),
        (24.0, 59.0, 25.0, 61.0),
        (24.95, 60.17, 24.95, 60.17),
        (-180, -90, 180, 90),
        (25.5, 60.0, 25.6, 60.1),
    ],
)
def test_bbox(client: Client, seeded_towns: list[Seeded], box: tuple[float, float, float, float]) -> None:
    expected = sorted(item.id for item in seeded_towns if overlaps(item, *box))
    found = client.items(dataset=TOWNS, bbox=",".join(map(str, box)), limit=500)
    assert ids(found) == expected


@pytest.mark.parametrize("bbox", ["7e-277,-1.79e308,-1.79e308,1.79e308", "1e308,0,-1e308,1", "200,0,-200,1"])
def test_bbox_beyond_all_degrees_is_refused(client: Client, bbox: str) -> None:
    # A warning of numpy or GEOS would be an error here.
    response = client.items(bbox=bbox)
    assert response.status_code == 400
    assert "is not a longitude" in response.json()["detail"]


def test_bbox_across_the_antimeridian(client: Client, seeded_towns: list[Seeded]) -> None:
    # From 24.8 east over the antimeridian to 24.7: everything but a strip between the towns.
    found = ids(client.items(dataset=TOWNS, bbox="24.8,50,24.7,70", limit=500))
    assert found == sorted(item.id for item in seeded_towns if item.dataset == "seed_harbour")


def test_bbox_with_heights(client: Client, seeded_towns: list[Seeded]) -> None:
    for low, high in ((2.5, 2.5), (12.5, 99.0), (-9.0, -1.0)):
        found = client.items(dataset=TOWNS, bbox=f"24,59,{low},25,61,{high}", limit=500)
        assert ids(found) == sorted(i.id for i in seeded_towns if i.z[0] <= high and i.z[1] >= low)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "expected 4 numbers"),
        ("1,2,3,x", "expected 4 numbers"),
        ("", "expected 4 numbers"),
        ("nan,1,2,3", "expected 4 numbers"),
        ("1,2,inf,3", "expected 4 numbers"),
        ("1,5,2,4", "south edge 5 lies above"),
        ("1,2,3,91", "is not a longitude"),
        ("-200,2,3,4", "is not a longitude"),
        ("1,2,9,3,4,8", "lowest height"),
    ],
)
def test_a_bbox_that_is_none_is_refused(client: Client, text: str, message: str) -> None:
    assert message in detail(client.items(bbox=text))


def test_parameters_named_as_attributes_ask_for_equality(client: Client, seeded_towns: list[Seeded]) -> None:
    found = ids(client.items(dataset=TOWNS, year_of_construction="1950", closed="true", limit=500))
    assert found == sorted(
        item.id
        for item in seeded_towns
        if item.properties["year_of_construction"] == 1950 and item.properties["closed"]
    )
    assert found
    assert "'surfaces' is a integer" in detail(client.items(surfaces="many"))
    assert "'surfaces' is a integer" in detail(client.items(surfaces="7.5"))
    assert "residential" in detail(client.items(current_use="castle"))
    assert "offered: en, fi" in detail(client.items(lang="de"))


def test_alternative_datasets_only_where_they_are_named(client: Client) -> None:
    assert not any(id.startswith(ALTERNATIVE) for id in ids(client.items(city="harbour", limit=500)))
    named = ids(client.items(dataset=ALTERNATIVE))
    assert len(named) == 5
    assert client.get(f"/collections/buildings/items/{named[0]}").status_code == 200
    assert ids(client.items(dataset="nowhere")) == []


def test_count_where_it_is_asked_for(client: Client, seeded_towns: list[Seeded]) -> None:
    counted = client.items(dataset=TOWNS, filter="height_m > 10", limit=1, count="exact").json()
    tall = [item for item in seeded_towns if (item.properties["height_m"] or 0) > 10]
    assert (counted["numberMatched"], counted["numberReturned"]) == (len(tall), 1)
    assert "numberMatched" not in client.items(limit=1).json()
    assert "offered: none, exact, estimate" in detail(client.items(count="maybe"))


def test_the_only_page_is_counted_and_others_can_be_estimated(client: Client) -> None:
    whole = client.items(dataset=TOWNS, limit=500).json()
    assert whole["numberMatched"] == whole["numberReturned"] == 120
    page = client.items(dataset=TOWNS, limit=50, count="estimate")
    assert "numberMatched" not in page.json()
    assert page.json()["numberEstimated"] >= 1
    last = client.request("GET", client.request("GET", page.links["next"]["url"]).links["next"]["url"])
    assert (last.json()["numberReturned"], "numberMatched" in last.json()) == (20, False)
    table = client.items(dataset=TOWNS, limit=50, count="estimate", f="csv")
    assert int(table.headers["ogc-numberestimated"]) == page.json()["numberEstimated"]


def test_chosen_properties(client: Client) -> None:
    page = client.items(dataset=TOWNS, properties="height_m,attributes", limit=3).json()
    for feature in page["features"]:
        assert set(feature["properties"]) == {"height_m", "attributes"}
        assert feature["geometry"]["type"] == "Polygon"
    assert "Did you mean 'height_m'" in detail(client.items(properties="heigth_m"))
    assert "'properties'" in detail(client.items(properties=""))


@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("2026-01-01T00:00:00Z", 120),
        ("2026-01-01", 120),
        ("2025-12-31", 0),
        ("2025-12-31T23:59:59Z", 0),
        ("2026-01-01T01:00:00+02:00", 0),
        ("../2025-12-31T00:00:00Z", 0),
        ("2020-01-01T00:00:00Z/..", 120),
        ("../..", 120),
        ("2020-01-01/2026-06-01", 120),
    ],
)
def test_datetime_shows_what_was_held_then(client: Client, when: str, number: int) -> None:
    assert len(ids(client.items(dataset=TOWNS, datetime=when, limit=500))) == number


@pytest.mark.parametrize(
    "when",
    ["yesterday", "2026-13-01", "2026-01-01T00:00:00", "", "2026-02-01/2026-01-01",
     "0001-01-01T00:00:00+14:00", "9999-12-31", "a/b"],
)  # fmt: skip
def test_a_datetime_that_is_none_is_refused(client: Client, when: str) -> None:
    assert "'datetime'" in detail(client.items(datetime=when))


def test_unknown_and_repeated_parameters_are_refused(client: Client) -> None:
    message = detail(client.items(hieght="3"))
    assert "'hieght'" in message
    assert "bbox" in message
    assert "more than once" in detail(client.request("GET", "/collections/buildings/items?limit=1&limit=2"))
    assert "U+0000" in detail(client.request("GET", "/collections/buildings/items?city=%00"))
    assert "Known: none" in detail(client.get("/health/live", verbose="1"))


def test_one_item(client: Client, seeded_towns: list[Seeded]) -> None:
    item = seeded_towns[3]
    response = client.get(f"/collections/buildings/items/{item.id}")
    body = response.json()
    assert {key: body[key] for key in item.geojson} == item.geojson
    assert {link["rel"] for link in body["links"]} == {"self", "alternate", "collection", "related"}
    assert response.links["self"]["url"].endswith(item.id)
    assert response.headers["content-type"] == "application/geo+json"


@pytest.mark.parametrize("id", ["nothing", "seed_hill", "%00", "a/b", "';--", "x" * 300])
def test_an_item_that_is_not_there(client: Client, id: str) -> None:
    response = client.request("GET", f"/collections/buildings/items/{id}")
    assert "There is no item" in detail(response, 404)


def test_an_unknown_collection(client: Client) -> None:
    for rest in ("", "/items", "/items/x", "/queryables", "/schema", "/histogram?property=city"):
        assert "Known: buildings" in detail(client.request("GET", f"/collections/castles{rest}"), 404)


def test_an_unknown_scenario(client: Client) -> None:
    for rest in ("/items", "/items/x", "/histogram"):
        query = {"scenario": "flood"} | ({"property": "city"} if rest == "/histogram" else {})
        assert "scenario 'flood'" in detail(client.get(f"/collections/buildings{rest}", **query), 404)


def test_what_has_not_changed_is_not_sent_again(client: Client, seeded_towns: list[Seeded]) -> None:
    items = "/collections/buildings/items"
    for path in (f"{items}?limit=3", f"{items}/{seeded_towns[0].id}"):
        first = client.request("GET", path)
        tag = first.headers["etag"]
        assert "private" in first.headers["cache-control"]
        again = client.request("GET", path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.request("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200
    tags = {client.items(limit=limit).headers["etag"] for limit in (3, 4, 3)}
    assert len(tags) == 2


def test_personal_data_need_their_scope(database: Database, seeded_towns: list[Seeded]) -> None:
    app = create_app(database.reader(), database.settings, public())
    with serving(app) as client:
        served = [
            client.items(dataset=TOWNS, limit=500),
            client.items(dataset=TOWNS, properties="height_m"),
            client.get(f"/collections/buildings/items/{seeded_towns[0].id}"),
        ]
        for response in served:
            assert response.status_code == 200
            assert "private" not in response.headers["cache-control"]
            for secret in ("street", "Satamakatu", "Mäkitie", "a person", "attributes"):
                assert secret not in response.text
        refused = [
            client.items(filter="street = 'Satamakatu'"),
            client.items(street="Satamakatu"),
            client.items(properties="street"),
            client.items(properties="height_m,attributes"),
            client.get("/collections/buildings/histogram", property="street"),
            client.get("/collections/buildings/histogram", property="city", groupby="street"),
        ]
        for response in refused:
            assert "personal data" in detail(response)
        assert "street" not in client.get("/collections/buildings/queryables").json()["properties"]
