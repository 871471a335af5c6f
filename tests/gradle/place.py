"""Where an app is built: Gradle, a service, and the token of a build machine."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from gradle.gradle import AGP, Build, Gradle
from kit.command import Command
from kit.service import Service

GROUP = "com.example.mobile"
SETTINGS = """
def touchmark = { repositories, String group -> repositories.exclusiveContent {
  forRepository {
    repositories.maven {
      url = uri("%s/admin/v1/sdk/maven")
      credentials(HttpHeaderCredentials) {
        name = "Authorization"
        value = "Bearer " + providers.environmentVariable("TOUCHMARK_TOKEN").getOrElse("")
      }
      authentication { header(HttpHeaderAuthentication) }
    }
  }
  filter { includeGroup(group) }
} }
dependencyResolutionManagement { repositories { google(); mavenCentral() } }
touchmark(dependencyResolutionManagement.repositories, "com.example.mobile")
rootProject.name = "app"
"""
PLUGINS = """pluginManagement {
  repositories {
    google(); mavenCentral()
    exclusiveContent {
      forRepository {
        maven {
          url = uri("%s/admin/v1/sdk/maven")
          credentials(HttpHeaderCredentials) {
            name = "Authorization"
            value = "Bearer " + providers.environmentVariable("TOUCHMARK_TOKEN").getOrElse("")
          }
          authentication { header(HttpHeaderAuthentication) }
        }
      }
      filter { includeGroup("touchmark.sdk") }
    }
  }
}
"""
BUILD = """
plugins {
  id("com.android.application") version "%s"
  id("touchmark.sdk") version "0.1.0"
}
android {
  namespace = "%s"
  compileSdk = 34
  defaultConfig { minSdk = 23; versionCode = 1; versionName = "1.0" }
}
dependencies { implementation("com.example.mobile:touchmark-attestation:%s") }
%s
"""
MANIFEST = """<manifest xmlns:android="http://schemas.android.com/apk/res/android"
    package="%s"><application android:usesCleartextTraffic="false"/></manifest>
"""
APP = """package %s;
import touchmark.sdk.Touchmark;
final class App { static String version() { return Touchmark.getVersion(); } }
"""


@dataclass
class Place:
    gradle: Gradle
    service: Service
    administrator: Command
    token: str
    tools: Path  # a folder with the command

    @staticmethod
    def make_earlier(built: Path, folder: Path, version: str) -> None:
        """What a package of an earlier version brought."""
        shutil.copytree(built, folder)
        with zipfile.ZipFile(built / "touchmark_sdk.aar") as old:
            entries = {entry.filename: old.read(entry) for entry in old.infolist()}
        entries["assets/touchmark-sdk.json"] = json.dumps({"version": version}).encode()
        with zipfile.ZipFile(folder / "touchmark_sdk.aar", "w") as new:
            for name, content in entries.items():
                new.writestr(name, content)

    def environment(self) -> dict[str, str]:
        return {
            "TOUCHMARK_TOKEN": self.token,
            "TOUCHMARK_PIN": self.service.credentials()["pin"],
            "TOUCHMARK_HOME": str(self.tools / "no-profile"),
            "PATH": f"{self.tools}:{os.environ['PATH']}",
        }

    def build(self, project: Path, *arguments: str, **environment: str) -> Build:
        return self.gradle.run(project, *arguments, **(self.environment() | environment))

    def app(
        self, folder: Path, touchmark: str, package: str = "com.example.app", sdk: str = "0.1.0"
    ) -> Path:
        """A project with an app; `touchmark` is what its block of that name says."""
        folder.mkdir()
        (folder / "settings.gradle").write_text(
            PLUGINS % self.service.url + SETTINGS % self.service.url
        )
        block = "touchmark { allowLocal = true\n" + touchmark + " }"
        (folder / "build.gradle").write_text(BUILD % (AGP, package, sdk, block))
        main = folder / "src/main"
        (main / "java").mkdir(parents=True)
        (main / "AndroidManifest.xml").write_text(MANIFEST % package)
        (main / "java/App.java").write_text(APP % package)
        return folder

    def with_service(self, more: str = "") -> str:
        return f'service = "{self.service.url}"\n{more}'
