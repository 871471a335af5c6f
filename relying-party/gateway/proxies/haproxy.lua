-- Of a HAProxy (2.6 or newer) that checks tokens with
-- `touchmark gateway --decision-listen 127.0.0.1:9091`; haproxy.cfg beside this loads it.

local GATEWAY = os.getenv("TOUCHMARK_GATEWAY") or "http://127.0.0.1:9091"
-- What is of the client's connection, or would give the question a body.
local LEFT_OUT = {
  ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["expect"] = true,
  ["upgrade"] = true, ["te"] = true, ["keep-alive"] = true, ["host"] = true,
  ["x-original-method"] = true, ["x-original-uri"] = true, ["x-forwarded-for"] = true,
}
local FACTS = { "status", "reason", "maker", "enforced", "level", "device" }

core.register_action("touchmark", { "http-req" }, function(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not LEFT_OUT[name] then
      local list = {}
      for at = 0, #values do list[#list + 1] = values[at] end
      headers[name] = list
    end
  end
  headers["x-original-method"] = { txn.sf:method() }
  headers["x-original-uri"] = { txn.sf:url() }
  headers["x-forwarded-for"] = { txn.sf:src() }
  local answer = core.httpclient():get({ url = GATEWAY .. "/auth", headers = headers, timeout = 10000 })
  -- A gateway that does not answer lets nobody through.
  local allowed = answer ~= nil and answer.status == 200
  txn:set_var("txn.touchmark_allowed", allowed)
  for _, fact in ipairs(FACTS) do
    local name = "x-touchmark-" .. fact
    txn.http:req_del_header(name)
    local values = allowed and answer.headers[name]
    if values then txn.http:req_set_header(name, values[0]) end
  end
end, 0)
