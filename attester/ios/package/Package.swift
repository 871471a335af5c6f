// swift-tools-version:5.7
import PackageDescription

let package = Package(
  name: "Touchmark",
  platforms: [.iOS(.v14)],
  products: [.library(name: "Touchmark", targets: ["Touchmark", "TouchmarkObjC"])],
  targets: [
    .target(
      name: "Touchmark",
      dependencies: ["TouchmarkObjC"],
      resources: [
        .copy("Resources/PrivacyInfo.xcprivacy"),
        // The service reads the SDK's version out of it when the app is registered.
        .copy("Resources/touchmark-sdk.json"),
      ]),
    .target(
      name: "TouchmarkObjC",
      dependencies: ["TouchmarkCore"],
      cSettings: [.headerSearchPath("core")],
      linkerSettings: [
        .linkedFramework("DeviceCheck"),
        .linkedFramework("Security"),
        .linkedLibrary("c++"),
      ]),
    // core/tools/ios/build-xcframework makes it.
    .binaryTarget(name: "TouchmarkCore", path: "TouchmarkCore.xcframework"),
  ]
)
