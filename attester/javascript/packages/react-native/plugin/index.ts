/**
 * Expo's config plugin: puts the initial configuration into the native projects that `expo prebuild`
 * makes. In app.json:
 *   "plugins": [["@touchmark/react-native", { "configuration": "./touchmark-initial.config" }]]
 */
import * as fs from "node:fs";
import * as path from "node:path";

import {
  type ConfigPlugin,
  IOSConfig,
  createRunOncePlugin,
  withDangerousMod,
  withXcodeProject,
} from "@expo/config-plugins";

const NAME = "touchmark-initial.config";

export interface TouchmarkPluginOptions {
  /** The file of `touchmark sdk config`; relative to the project. */
  configuration?: string;
}

function read(projectRoot: string, options: TouchmarkPluginOptions | undefined): Buffer {
  const file = path.resolve(projectRoot, options?.configuration ?? NAME);
  try {
    return fs.readFileSync(file);
  } catch {
    throw new Error(
      `@touchmark/react-native: ${file} is missing; \`touchmark sdk config\` fetches it`,
    );
  }
}

const withAndroidAsset: ConfigPlugin<TouchmarkPluginOptions | undefined> = (config, options) =>
  withDangerousMod(config, [
    "android",
    (mod) => {
      const { projectRoot, platformProjectRoot } = mod.modRequest;
      const assets = path.join(platformProjectRoot, "app/src/main/assets");
      fs.mkdirSync(assets, { recursive: true });
      fs.writeFileSync(path.join(assets, NAME), read(projectRoot, options));
      return mod;
    },
  ]);

const withIosResource: ConfigPlugin<TouchmarkPluginOptions | undefined> = (config, options) =>
  withXcodeProject(config, (mod) => {
    const { projectRoot, platformProjectRoot, projectName } = mod.modRequest;
    fs.writeFileSync(path.join(platformProjectRoot, NAME), read(projectRoot, options));
    const group = projectName ?? IOSConfig.XcodeUtils.getProjectName(projectRoot);
    IOSConfig.XcodeUtils.addResourceFileToGroup({
      filepath: NAME,
      groupName: group,
      project: mod.modResults,
      isBuildFile: true,
    });
    return mod;
  });

const withTouchmark: ConfigPlugin<TouchmarkPluginOptions | undefined> = (config, options) =>
  withIosResource(withAndroidAsset(config, options), options);

const plugin: ConfigPlugin<TouchmarkPluginOptions | undefined> = createRunOncePlugin(
  withTouchmark,
  "@touchmark/react-native",
);

export default plugin;
