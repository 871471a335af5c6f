package androidx.annotation;

/** Stands in for an annotation of that name: it says nothing of types. */
public @interface Nullable {}
