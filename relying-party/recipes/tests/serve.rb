# frozen_string_literal: true

# A route behind the recipe, on WEBrick. It tells the test status and reason, which nobody else is told.
require "webrick"
require_relative "../ruby/touchmark"

app = ->(_env) { [200, { "content-type" => "application/json" }, ['{"served":true}']] }
touchmark = Touchmark.new(app, clock: -> { ENV.fetch("TEST_NOW").to_f })

# What Rack's servers do, and keep names with underscores out.
class Door < WEBrick::HTTPServlet::AbstractServlet
  def initialize(server, touchmark)
    super(server)
    @touchmark = touchmark
  end

  def service(request, response)
    env = { "REQUEST_METHOD" => request.request_method }
    request.each { |name, value| env["HTTP_#{name.upcase.tr("-", "_")}"] = value unless name.include?("_") }
    seen = nil
    checked = Touchmark.instance_method(:check).bind(@touchmark)
    @touchmark.define_singleton_method(:check) { |one| (seen = checked.call(one)) }
    response.status, headers, body = @touchmark.call(env)
    headers.merge("x-status" => "#{Touchmark::STATUS[seen.first]} #{seen.first}").each { |name, value| response[name] = value }
    response.body = body.join
  end
end

log = WEBrick::Log.new(File::NULL)
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ARGV.fetch(0).to_i, Logger: log, AccessLog: [])
server.mount("/", Door, touchmark)
trap("TERM") { server.shutdown }
server.start
