# frozen_string_literal: true

# The check of Touchmark's tokens as a Rack middleware: HS256, by protocol/token-check.md, with Debian's ruby-jwt.
# In config.ru: require_relative "touchmark"; use Touchmark. env["touchmark.claims"] has the claims.
require "jwt"
require "openssl"

class Touchmark
  FORMS = { "MODE" => /\A(enforce|report|off)\z/, "LEEWAY" => /\A([0-2]?\d?\d|300)(\.\d+)?\z/,
            "LEVEL" => /\A(software|platform|tee|secure-chip)\z/, "SECRET" => /\S/, "TOKEN_HEADER" => /\S/,
            "BINDING_HEADERS" => /\S/, "AUDIENCE" => /\S/, "ISSUER" => /\S/ }.freeze
  LEVELS = { "software" => 1, "platform" => 2, "tee" => 3, "secure-chip" => 4 }.freeze
  STATUS = { "ok" => "valid", "off" => "unchecked", "no-token" => "missing", "decoy" => "invalid",
             "preflight" => "preflight", "expired" => "expired", "not-yet-valid" => "early", "low-level" => "weak",
             "wrong-algorithm" => "forged", "unknown-key" => "forged", "bad-signature" => "forged",
             "wrong-issuer" => "misdirected", "wrong-audience" => "misdirected",
             "no-bound-header" => "unbound", "wrong-pay" => "unbound" }.tap { |h| h.default = "malformed" }.freeze
  REFUSAL = { "content-type" => "application/json", "www-authenticate" => "Touchmark", "cache-control" => "no-store" }.freeze
  Key = Struct.new(:kid, :secret, :decoy)

  class Unique < Hash # a name that stands twice makes an object malformed
    def []=(name, value)
      key?(name) ? raise(JSON::ParserError, "a name stands twice") : super
    end
  end

  # clock: seconds since 1970; log: takes a line.
  def initialize(app, environment: ENV.to_h, clock: -> { Time.now.to_f }, log: ->(line) { warn line })
    @app, @clock, @log = app, clock, log
    @set = environment.select { |name, _| name.start_with?("TOUCHMARK_") }.transform_keys { |name| name[10..] }
    wrong = @set.keys.find { |name| !@set[name].match?(FORMS.fetch(name, /\z\A./)) }
    raise ArgumentError, "TOUCHMARK_#{wrong} is no setting of this recipe, or cannot be that" if wrong
    @mode, @leeway = @set.fetch("MODE", "enforce"), @set.fetch("LEEWAY", "0").to_f
    @keys = @set.fetch("SECRET", "").split(",").map { |one| key(*one.strip.split(":", 2).reverse) }
    raise ArgumentError, "TOUCHMARK_SECRET is not set" if @keys.empty? && @mode != "off"
  end

  def call(env)
    reason, claims = check(env)
    status, env = STATUS[reason], env.merge("touchmark.claims" => claims || {})
    return @app.call(env) if %w[valid unchecked].include?(status)
    return [*@app.call(env).first(2), []] if status == "preflight" # anybody can send one
    @log.call("touchmark: #{@mode == "enforce" ? "refused" : "would refuse"}: #{status} token, reason=#{reason}")
    @mode == "enforce" ? [401, REFUSAL.dup, ["{}"]] : @app.call(env)
  end

  # The reason, and the claims of a token that the service signed.
  def check(env)
    return ["off"] if @mode == "off"
    header = ->(name) { env["HTTP_#{name.strip.upcase.tr("-", "_")}"].to_s.gsub(/\A[ \t]+|[ \t]+\z/, "") }
    asked = header.call("Access-Control-Request-Method").match?(/\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\z/)
    return ["preflight"] if env["REQUEST_METHOD"] == "OPTIONS" && header.call("Origin") != "" && asked
    token = header.call(@set.fetch("TOKEN_HEADER", "Touchmark-Token"))
    return ["no-token"] if token.empty?
    return ["two-tokens"] if token.include?(",")
    return ["too-long"] if token.bytesize > 4096
    # ruby-jwt would pass over letters that are none of base64url.
    parts = token.b.match?(/\A[\w-]+\.[\w-]+\.[\w-]*\z/n) ? token.split(".", -1).map { |part| decode(part) } : [nil]
    return ["not-compact"] if parts.include?(nil)
    return ["bad-header"] unless (head = object(parts[0]))
    return ["unknown-extension"] if head.key?("crit") || head["b64"] == false
    return ["bad-kid"] unless head.fetch("kid", "").is_a?(String)
    return ["bad-payload"] unless (claims = object(parts[1]))
    return ["wrong-algorithm"] unless head["alg"] == "HS256"
    keys = head.key?("kid") ? @keys.select { |one| one.kid == head["kid"] } : @keys
    keys = @keys.select { |one| one.kid.nil? } if keys.empty?
    return ["unknown-key"] if keys.empty?
    return ["decoy", claims] if keys.any? { |one| signed?(token, one.decoy) }
    keys.any? { |one| signed?(token, one.secret) } ? [judge(claims, header), claims] : ["bad-signature"]
  end

  private

  def key(text, kid = nil)
    secret = decode(text) || ""
    raise ArgumentError, "TOUCHMARK_SECRET is not base64 of 32 bytes or more" if secret.bytesize < 32
    Key.new(kid, secret, OpenSSL::KDF.hkdf(secret, salt: "", info: "touchmark decoy secret v1", length: 32, hash: "SHA256"))
  end

  def decode(part)
    standard = part.tr("-_", "+/").delete_suffix("=").delete_suffix("=")
    data = (standard + "=" * (-standard.length % 4)).unpack1("m0")
    data if [data].pack("m0").delete("=") == standard
  rescue ArgumentError
    nil
  end

  def object(data)
    found = JSON.parse(data.force_encoding("UTF-8"), object_class: Unique, max_nesting: 16)
    found if found.is_a?(Hash) && data.valid_encoding? && JSON.generate(found).valid_encoding?
  rescue JSON::JSONError, EncodingError
    nil
  end

  def signed?(token, secret)
    JWT.decode(token, secret, true, algorithm: "HS256", verify_expiration: false, verify_not_before: false) && true
  rescue JWT::DecodeError
    false
  end

  def judge(claims, header)
    exp, nbf, aud, now = claims["exp"], claims.fetch("nbf", 0), claims["aud"], @clock.call
    time = ->(value) { (value.is_a?(Integer) || value.is_a?(Float)) && value >= 0 && value < 2**53 }
    return "no-exp" unless time.call(exp)
    return "expired" if now >= exp + @leeway
    return "bad-nbf" unless time.call(nbf)
    return "not-yet-valid" if now + @leeway < nbf
    return "wrong-issuer" if @set["ISSUER"] && claims["iss"] != @set["ISSUER"]
    return "wrong-audience" if @set["AUDIENCE"] && !(aud.is_a?(Array) ? aud : [aud]).include?(@set["AUDIENCE"])
    return "low-level" if @set["LEVEL"] && LEVELS.fetch(claims["lvl"], 0) < LEVELS[@set["LEVEL"]]
    return "ok" unless @set["BINDING_HEADERS"]
    values = @set["BINDING_HEADERS"].split(",").map(&header)
    pay = [OpenSSL::Digest::SHA256.digest(values.join("\n"))].pack("m0")
    return "no-bound-header" if values.include?("")
    claims["pay"].is_a?(String) && OpenSSL.secure_compare(pay, claims["pay"]) ? "ok" : "wrong-pay"
  end
end
