// Which HTTP status each error of the service answers with.
#pragma once

#include "base/error.h"
#include "verifier/http/http.h"

namespace touchmark::verifier::routes {

// As problem+json. `otherwise`: the status for errors of other modules than the service, the store
// and the transport.
http::HttpResponse problem(const Error& error, int otherwise = 500);

}  // namespace touchmark::verifier::routes
