package com.facebook.proguard.annotations;

/** Stands in for an annotation of that name: it says nothing of types. */
public @interface DoNotStrip {}
