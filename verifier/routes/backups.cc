// The routes for backups: one is made, fetched in pieces, and ended.
#include "base/encoding.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::int64_t kMaxPiece = 4 << 20;  // bytes

}  // namespace

http::HttpResponse make_backup(const RouteContext& context, const http::HttpRequest& request) {
  auto made = context.verifier.backups().make(request.caller.name);
  if (!made) {
    context.log.error("backup.failed", {{"error", made.error().text()}});
    return problem(made.error());
  }
  context.log.info("backup.made", {{"actor", request.caller.name}, {"bytes", made->size}});
  Json files = Json::array();
  for (const store::BackedUpFile& file : made->list.files) files.push_back(file.name);
  return json_response({{"id", made->id},
                        {"size", made->size},
                        {"sha256", hex_encode(made->sha256)},
                        {"account", made->list.account},
                        {"made", to_unix(made->list.made)},
                        {"pins", made->list.pins},
                        {"files", files}},
                       201);
}

http::HttpResponse read_backup(const RouteContext& context, const http::HttpRequest& request) {
  const auto offset = query_integer(request, "offset", 0, 0, INT64_MAX);
  const auto length = query_integer(request, "length", kMaxPiece, 1, kMaxPiece);
  if (!offset) return bad_request("offset is not a number of bytes");
  if (!length) {
    return bad_request("length is not a number of bytes from 1 to " + std::to_string(kMaxPiece));
  }
  auto piece = context.verifier.backups().read(
      request.argument, static_cast<std::uint64_t>(*offset), static_cast<std::size_t>(*length));
  if (!piece) return problem(piece.error());
  return {200, "application/octet-stream", std::string(as_text(*piece)), {}};
}

http::HttpResponse end_backup(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  const auto kept = body->is_object() ? body->find("kept") : body->end();
  if (!body->is_object() || kept == body->end() || !kept->is_boolean()) {
    return bad_request("kept is not true or false");
  }
  const bool is_kept = kept->get<bool>();
  auto ended = context.verifier.backups().end(request.argument, is_kept, request.caller.name);
  if (!ended) return problem(ended.error());
  if (is_kept) context.log.info("backup.kept", {{"actor", request.caller.name}});
  return json_response(
      {{"last_backup",
        is_kept ? Json(to_unix(context.verifier.backups().last().value_or(UnixTime{}))) : Json()}});
}

}  // namespace touchmark::verifier::routes
