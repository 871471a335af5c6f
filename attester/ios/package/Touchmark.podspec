Pod::Spec.new do |s|
  s.name = "Touchmark"
  s.version = "0.0.0"
  s.summary = "Touchmark's SDK for iOS: tokens for requests, pins for connections"
  s.license = { :type => "Apache-2.0", :file => "LICENSE" }
  s.homepage = "https://touchmark.invalid"
  s.author = "Touchmark"
  s.source = { :path => "." }
  s.platforms = { :ios => "14.0" }
  s.swift_versions = ["5.7"]
  s.source_files = "Sources/Touchmark/*.swift", "Sources/TouchmarkObjC/*.{h,m}",
                   "Sources/TouchmarkObjC/include/*.h"
  s.public_header_files = "Sources/TouchmarkObjC/include/*.h"
  s.private_header_files = "Sources/TouchmarkObjC/*.h"
  # Its touchmark.h may not come into one folder with Touchmark.h: a Mac's files know no case.
  s.preserve_paths = "Sources/TouchmarkObjC/core"
  s.pod_target_xcconfig = {
    "DEFINES_MODULE" => "YES",
    "HEADER_SEARCH_PATHS" => '"$(PODS_TARGET_SRCROOT)/Sources/TouchmarkObjC/core"',
  }
  # Where the Swift package has them, too: the service looks for the version there.
  s.resource_bundles = { "Touchmark_Touchmark" => ["Sources/Touchmark/Resources/*"] }
  s.frameworks = "DeviceCheck", "Security"
  s.libraries = "c++"
  # core/tools/ios/build-xcframework makes it.
  s.vendored_frameworks = "TouchmarkCore.xcframework"
end
