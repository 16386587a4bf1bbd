/** Copies the page and what it needs of CesiumJS into dist: no imagery, no icons of maps, no stars. */
import { cp, mkdir, rm } from "node:fs/promises";

const BUILT = "node_modules/cesium/Build/Cesium";
const PARTS = ["Cesium.js", "Workers", "ThirdParty/Workers", "ThirdParty/basis_transcoder.wasm", "ThirdParty/draco_decoder.wasm", "Widgets/widgets.css", "Widgets/Images/TimelineIcons.png", "Assets/Images", "Assets/IAU2006_XYS", "Assets/approximateTerrainHeights.json"];
const OWN = ["index.html", "page.js", "page.css"];

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
for (const part of PARTS) await cp(`${BUILT}/${part}`, `dist/${part}`, { recursive: true });
for (const file of OWN) await cp(file, `dist/${file}`);
