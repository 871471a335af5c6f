package com.android.build.api.artifact;

import org.gradle.api.file.FileSystemLocation;
import org.gradle.api.provider.Provider;

public interface Artifacts {
  <T extends FileSystemLocation> Provider<T> get(SingleArtifact<T> type);
}
