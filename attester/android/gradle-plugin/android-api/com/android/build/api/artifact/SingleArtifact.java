package com.android.build.api.artifact;

import org.gradle.api.file.Directory;
import org.gradle.api.file.FileSystemLocation;
import org.gradle.api.file.RegularFile;

public abstract class SingleArtifact<T extends FileSystemLocation> {
  public static final class APK extends SingleArtifact<Directory> {
    public static final APK INSTANCE = new APK();
  }

  public static final class BUNDLE extends SingleArtifact<RegularFile> {
    public static final BUNDLE INSTANCE = new BUNDLE();
  }
}
