require "json"

package = JSON.parse(File.read(File.join(__dir__, "package.json")))

Pod::Spec.new do |s|
  s.name = "TouchmarkCapacitor"
  s.version = package["version"]
  s.summary = package["description"]
  s.license = package["license"]
  s.homepage = "https://touchmark.invalid"
  s.author = "Touchmark"
  s.source = { :path => "." }
  s.platforms = { :ios => "14.0" }
  s.source_files = "ios/**/*.{h,mm}"
  s.dependency "Capacitor"
  # The SDK for iOS, which the app's Podfile says where to find.
  s.dependency "Touchmark"
end
