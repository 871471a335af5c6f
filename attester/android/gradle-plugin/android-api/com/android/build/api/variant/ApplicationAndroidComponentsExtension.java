package com.android.build.api.variant;

/** What the plugin uses of it. README.md says why this is here. */
public interface ApplicationAndroidComponentsExtension
    extends AndroidComponentsExtension<Object, Object, ApplicationVariant> {}
