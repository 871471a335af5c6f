package com.android.build.api.variant;

import org.gradle.api.Action;

public interface AndroidComponentsExtension<DslT, BuilderT, VariantT extends Variant> {
  VariantSelector selector();

  void onVariants(VariantSelector selector, Action<VariantT> callback);
}
