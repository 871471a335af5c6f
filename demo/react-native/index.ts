import { AppRegistry } from "react-native";

import { App } from "./src/App";

// Expo's native projects start the component of this name.
AppRegistry.registerComponent("main", () => App);
