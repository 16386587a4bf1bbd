// Validates every .glb below the folders or files named on the command line with the Khronos glTF
// validator and prints one JSON object: {"files": n, "errors": n, "warnings": n, "messages": [...]}.
// Information and hints are left out: extensions that the validator does not know are only that.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import validator from "gltf-validator";

const WARNING = 1;

function* glbs(path) {
  if (statSync(path).isFile()) {
    if (path.endsWith(".glb")) yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* glbs(join(path, name));
}

const report = { files: 0, errors: 0, warnings: 0, messages: [] };
for (const file of process.argv.slice(2).flatMap((path) => [...glbs(path)])) {
  const { issues } = await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 100 });
  report.files += 1;
  report.errors += issues.numErrors;
  report.warnings += issues.numWarnings;
  for (const { severity, code, message, pointer } of issues.messages) {
    if (severity <= WARNING) report.messages.push({ file, code, message, pointer });
  }
}
console.log(JSON.stringify(report));
