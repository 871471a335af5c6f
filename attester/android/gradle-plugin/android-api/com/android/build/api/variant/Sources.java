package com.android.build.api.variant;

public interface Sources {
  SourceDirectories.Layered getAssets();
}
