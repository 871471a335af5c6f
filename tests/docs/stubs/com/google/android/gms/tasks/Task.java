package com.google.android.gms.tasks;

/** A stand-in: the declaration that the Android guide uses. */
public abstract class Task<T> {}
