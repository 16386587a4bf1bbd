/** The 3D Tiles of everything in CesiumJS: no account, no network, no knowledge of the twin but the address. */
const { Cesium } = window;

/** Attributes in the tiles, with the limits of classes of numbers or the most frequent terms. */
const ATTRIBUTES = {
  height_m: [5, 10, 15, 25, 40],
  year_of_construction: [1900, 1930, 1960, 1990, 2010],
  roof_type: ["flat", "gabled", "hipped", "shed", "multiple-flat"],
  current_use: ["moreThanTwoDwellings", "office", "trade", "publicServices", "ancillary"],
  city: ["helsinki", "tallinn"],
};
const CLASSES = ["#fde725", "#8fd744", "#35b779", "#21918c", "#31688e", "#443983"];
const MISSING = "#9aa3ad";
/** In place of an attribute: the images of the source, where it has any. */
const TEXTURES = "textures";
const CITIES = { Helsinki: [24.9556, 60.1743], Tallinn: [24.7453, 59.4369] };

const form = document.getElementById("ask");
const state = document.getElementById("state");
for (const name of [...Object.keys(ATTRIBUTES), TEXTURES]) form.elements.by.add(new Option(name));

const viewer = new Cesium.Viewer("globe", {
  baseLayer: false,
  baseLayerPicker: false,
  geocoder: false,
  homeButton: false,
  sceneModePicker: false,
  navigationHelpButton: false,
  fullscreenButton: false,
  animation: false,
  timeline: false,
  infoBox: false,
  selectionIndicator: false,
  skyBox: false,
  msaaSamples: 1,
  requestRenderMode: true,
});
viewer.scene.globe.baseColor = Cesium.Color.fromCssColorString("#dfe5e6");
viewer.scene.moon = undefined;
// The sun of a summer's noon, whatever the clock says.
viewer.clock.currentTime = Cesium.JulianDate.fromIso8601("2026-06-21T10:00:00Z");

let tileset = null;
let picked = null;

const textured = () => form.elements.by.value === TEXTURES;

function address(filter) {
  const query = new URLSearchParams({ properties: Object.keys(ATTRIBUTES).join(",") });
  if (filter) query.set("filter", filter);
  if (textured()) query.set("profile", "textured");
  return `/3dtiles/tileset.json?${query}`;
}

/** What is coloured how: text, condition in the 3D Tiles styling language over `${attribute}`, colour. */
function classesOf(name) {
  const value = `\${${name}}`;
  const steps = ATTRIBUTES[name];
  const missing = ["no value", `${value} === undefined || ${value} === null || ${value} === ""`, MISSING];
  if (typeof steps[0] === "string") {
    const terms = steps.map((term, i) => [term, `${value} === "${term}"`, CLASSES[i]]);
    return [missing, ...terms, ["other", "true", CLASSES[5]]];
  }
  const classes = steps.map((limit, i) => [`${limit} and over`, `${value} >= ${limit}`, CLASSES[i + 1]]).reverse();
  return [missing, ...classes, [`under ${steps[0]}`, "true", CLASSES[0]]];
}

/** Colour the tiles and tell what the colours mean. */
function paint() {
  const classes = textured() ? [] : classesOf(form.elements.by.value);
  const conditions = classes.map(([, condition, colour]) => [condition, `color("${colour}")`]);
  if (tileset) tileset.style = textured() ? undefined : new Cesium.Cesium3DTileStyle({ color: { conditions } });
  document.getElementById("legend").replaceChildren(
    ...classes.map(([text, , colour]) => {
      const item = document.createElement("li");
      item.textContent = text;
      item.style.setProperty("--colour", colour);
      return item;
    }),
  );
  viewer.scene.requestRender();
}

async function show() {
  const filter = form.elements.filter.value.trim();
  state.textContent = "Loading …";
  try {
    const next = await Cesium.Cesium3DTileset.fromUrl(address(filter), { featureIdLabel: "featureId_0" });
    if (tileset) viewer.scene.primitives.remove(tileset);
    tileset = viewer.scene.primitives.add(next);
    tileset.colorBlendMode = Cesium.Cesium3DTileColorBlendMode.REPLACE;
    paint();
    tileset.tileFailed.addEventListener(({ message }) => (state.textContent = message));
    tileset.allTilesLoaded.addEventListener(() => (state.textContent = filter ? "Buildings that match the filter." : "All buildings."));
    if (!tileset.root.children.length && !tileset.root.hasContent) state.textContent = "No building matches this filter.";
  } catch (error) {
    state.textContent = await reason(error);
  }
  viewer.scene.requestRender();
}

/** What the service says is wrong. */
async function reason(error) {
  try {
    return JSON.parse(error.response).detail;
  } catch {
    return error.message ?? "The service does not answer.";
  }
}

function look([lon, lat], range = 700) {
  viewer.camera.lookAt(Cesium.Cartesian3.fromDegrees(lon, lat, 30), new Cesium.HeadingPitchRange(Cesium.Math.toRadians(332), Cesium.Math.toRadians(-32), range));
  viewer.camera.lookAtTransform(Cesium.Matrix4.IDENTITY);
  viewer.scene.requestRender();
}

function pick(x, y) {
  const found = viewer.scene.pick(new Cesium.Cartesian2(x, y));
  return found instanceof Cesium.Cesium3DTileFeature ? found : null;
}

/** Id and attributes of a feature, as the property table of its tile has them. */
function attributesOf(feature) {
  return Object.fromEntries(feature.getPropertyIds().map((name) => [name, feature.getProperty(name)]));
}

function tell(feature) {
  const table = document.getElementById("picked");
  picked = feature && attributesOf(feature);
  table.hidden = !picked;
  if (!picked) return;
  table.caption.textContent = picked.id;
  table.tBodies[0].replaceChildren(
    ...Object.keys(ATTRIBUTES).map((name) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      row.insertCell().textContent = picked[name] ?? "–";
      return row;
    }),
  );
}

viewer.screenSpaceEventHandler.setInputAction(({ position }) => {
  tell(pick(position.x, position.y));
}, Cesium.ScreenSpaceEventType.LEFT_CLICK);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void show();
});
form.elements.by.addEventListener("change", () => {
  if (textured() === tileset?.resource.url.includes("profile=textured")) paint();
  else void show();
});
for (const [name, place] of Object.entries(CITIES)) {
  const button = document.createElement("button");
  button.textContent = name;
  button.addEventListener("click", () => look(place));
  document.getElementById("places").append(button);
}

/** What the end-to-end test asks. */
window.__cesium = {
  version: Cesium.VERSION,
  get loaded() {
    return tileset?.tilesLoaded ?? false;
  },
  get features() {
    return tileset?.statistics.numberOfFeaturesSelected ?? 0;
  },
  get picked() {
    return picked;
  },
  look,
  pickId: (x, y) => pick(x, y)?.getProperty("id") ?? null,
};

look(CITIES.Helsinki);
void show();
