export * from "./dist/core/src/react";
