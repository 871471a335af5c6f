// TypeScript's sources as JavaScript and declarations, file by file, for packing:
//   node transpile.js TYPESCRIPT OUT FILE...
// TYPESCRIPT: the compiler's folder. The files are named relative to packages/, and come into OUT by the
// same names. Types are not looked at: that is `make lint`'s work, and needs every platform's packages.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [typescript, out, ...files] = process.argv.slice(2);
const ts = require(path.resolve(typescript));
const base = path.join(__dirname, "tsconfig.base.json");
const { compilerOptions } = ts.readConfigFile(base, (name) => fs.readFileSync(name, "utf8")).config;
// Where things are is not asked here.
for (const name of ["rootDir", "outDir", "baseUrl", "paths", "typeRoots"])
  delete compilerOptions[name];
const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, __dirname);
const forScript = { ...options, declaration: false, isolatedDeclarations: false };

for (const file of files) {
  const source = fs.readFileSync(path.join(__dirname, "packages", file), "utf8");
  const settings = { fileName: file, reportDiagnostics: true };
  for (const [made, ending] of [
    [ts.transpileModule(source, { ...settings, compilerOptions: forScript }), ".js"],
    [ts.transpileDeclaration(source, { ...settings, compilerOptions: options }), ".d.ts"],
  ]) {
    if (made.diagnostics.length > 0) {
      const host = {
        getCurrentDirectory: () => "",
        getCanonicalFileName: (x) => x,
        getNewLine: () => "\n",
      };
      process.stderr.write(ts.formatDiagnostics(made.diagnostics, host));
      process.exit(1);
    }
    const target = path.join(out, file.replace(/\.ts$/, ending));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, made.outputText);
  }
}
