// The package as npm packs it, and each block of README.md as pasted, in a folder that npm fills.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import ts from "typescript";

import { listen } from "./adapters.js";
import { ask } from "./client.js";
import { SECRET, root, temporaryFolder, token } from "./support.js";

const work = join(root, "build/relying-party/node");
const tarball = join(work, "touchmark-attestation-0.1.0.tgz");
const MODULES = ["express", "fastify", "http", "koa", "nestjs", "prometheus"];
const readme = readFileSync(join(root, "relying-party/node/README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(?:js|ts)\n\/\/ ([\w.]+)\n([^]*?)^```$/gm)].map(
  ([, name = "", text = ""]) => ({ name, text }),
);
let folder = "";

before(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, "package.json"), '{"name":"app","private":true}');
  // What an application has beside it comes from where the lock file's versions are; no registry is asked.
  const beside = ["jose", "express", "fastify", "koa", "prom-client", "redis", "reflect-metadata"];
  beside.push("@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "rxjs");
  const options = [
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--legacy-peer-deps",
  ];
  const names = beside.map((name) => `file:${join(work, "node_modules", name)}`);
  execFileSync("npm", ["install", ...options, `file:${tarball}`, ...names], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
});

test("what is packed", () => {
  const listed = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" }).trim().split("\n");
  const others = listed.filter(
    (name) => !/^package\/dist\/(esm|cjs)\/[a-z]+(\.d)?\.[jt]s$/.test(name),
  );
  deepStrictEqual(others.sort(), [
    "package/CHANGELOG.md",
    "package/LICENSE",
    "package/README.md",
    "package/dist/cjs/package.json",
    "package/package.json",
  ]);
  const { exports } = JSON.parse(readFileSync(join(work, "package.json"), "utf8")) as {
    exports: Record<string, Record<string, string>>;
  };
  deepStrictEqual(Object.keys(exports).sort(), [".", ...MODULES.map((name) => `./${name}`)].sort());
  for (const forms of Object.values(exports)) {
    for (const path of Object.values(forms)) {
      for (const file of [path, path.replace(/\.js$/, ".d.ts")]) {
        ok(listed.includes(`package/${file.slice(2)}`), file);
      }
    }
  }
});

test("both forms of modules have the same names", () => {
  const names = [
    "touchmark-attestation",
    ...MODULES.map((name) => `touchmark-attestation/${name}`),
  ];
  const program = (load: string): string =>
    `const all = {}; for (const name of ${JSON.stringify(names)})
     all[name] = Object.keys(${load}).filter((one) => !["default", "module.exports"].includes(one)).sort();
     console.log(JSON.stringify(all));`;
  const said = (type: string, load: string): string =>
    execFileSync("node", [`--input-type=${type}`, "-e", program(load)], {
      cwd: folder,
      encoding: "utf8",
    });
  const found = said("module", "await import(name)");
  strictEqual(said("commonjs", "require(name)"), found);
  for (const exported of Object.values(JSON.parse(found) as object)) ok(exported.length > 0);
});

const running: ChildProcess[] = [];
after(() => running.forEach((one) => one.kill()));

for (const { name, text } of blocks) {
  test(`${name} runs as pasted`, { timeout: 60_000 }, async () => {
    const file = join(folder, name.replace(/\.ts$/, ".mjs"));
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ES2022,
        experimentalDecorators: true,
      },
    });
    writeFileSync(file, name.endsWith(".ts") ? outputText : text);
    const { port, stop } = await listen(createServer());
    await stop();
    const env = { PATH: process.env["PATH"], PORT: `${port}` };
    const unset = spawn("node", [file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    unset.stderr.on("data", (part) => (said += part as string));
    unset.stdout.on("data", (part) => (said += part as string));
    const [code] = (await once(unset, "exit")) as [number];
    ok(code !== 0 && said.includes("TOUCHMARK_SECRET is not set"), said);

    const set = { ...env, TOUCHMARK_SECRET: SECRET.toString("base64") };
    const server = spawn("node", [file], { cwd: folder, env: set, stdio: "ignore" });
    running.push(server);
    const value = token({ exp: Date.now() / 1000 + 300, did: "me", lvl: "tee" });
    const get = (headers: [string, string][]) => ask(port, "GET", "/v2/rates", headers);
    for (let tries = 0; !(await get([]).catch(() => null)); tries++) {
      ok(tries < 300 && server.exitCode === null, "it does not start");
      await pause(50);
    }
    const [good, bad] = [await get([["Touchmark-Token", value]]), await get([])];
    deepStrictEqual([good.status, JSON.parse(good.body)], [200, { EUR: 1, device: "me" }]);
    deepStrictEqual([bad.status, bad.body], [401, "{}"]);
    if (readme.includes(`// ${name}`) && text.includes('"/healthz"')) {
      strictEqual((await ask(port, "GET", "/healthz", [])).status, 200);
    }
    if (name === "metrics.mjs") {
      const metrics = await ask(port, "GET", "/metrics", []);
      ok(/touchmark_requests_total\{.*reason="ok".*\} 1\n/.test(metrics.body), metrics.body);
    }
    server.kill();
  });
}

test("README.md has a block for each", () => {
  strictEqual(blocks.length, 6);
  ok(existsSync(tarball));
});
