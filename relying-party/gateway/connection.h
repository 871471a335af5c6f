// One connection of a client: requests one after the other, until it is closed. For this folder
// alone.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "relying-party/gateway/message.h"
#include "relying-party/gateway/shared.h"

namespace touchmark::relying::gateway {

enum class Listener { kProxy, kDecisions, kMetrics };

// Everything runs on the one thread that the connection belongs to.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket socket, verifier::http::IpAddress peer, Listener listener, Shared& shared,
             Thread& thread);
  ~Connection();

  boost::asio::awaitable<void> run();
  // What is over its time ends. Now and then.
  void tick();
  // Ends now when it waits for a request, else after the answer.
  void stop();
  void abort();

 private:
  using error_code = boost::system::error_code;
  enum class Head { kThere, kClosed, kMalformed, kTooLarge };
  // Of one request that goes on to an upstream.
  struct Exchange;

  boost::asio::awaitable<Head> read_head(std::size_t& size);
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<bool> serve(const RequestHead& head);
  boost::asio::awaitable<bool> serve_decision(const RequestHead& head);
  boost::asio::awaitable<bool> serve_metrics(const RequestHead& head);
  boost::asio::awaitable<bool> serve_proxy(const RequestHead& head);
  boost::asio::awaitable<Decision> decide(const Request& request, RouteId route);
  boost::asio::awaitable<void> keys_read(KeySource& source);

  boost::asio::awaitable<bool> answer(const RequestHead& head, unsigned status,
                                      std::string_view fields, std::string_view body);
  boost::asio::awaitable<bool> refuse(const RequestHead& head);
  boost::asio::awaitable<bool> write(std::string_view text);
  boost::asio::awaitable<bool> read_more(std::size_t most);
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<bool> skip_body(const Framing& body);

  boost::asio::awaitable<bool> forward(const RequestHead& head, const Target& target,
                                       const Decision& decision, const std::string& client,
                                       std::size_t upstream);
  boost::asio::awaitable<std::shared_ptr<UpstreamConnection>> connect(std::size_t upstream,
                                                                      bool may_reuse);
  boost::asio::awaitable<error_code> connect_to(const Address& address, Socket& socket);
  boost::asio::awaitable<bool> exchange(Exchange& exchange);
  void keep(std::size_t upstream, std::shared_ptr<UpstreamConnection> connection);
  boost::asio::awaitable<bool> read_upstream(UpstreamConnection& upstream, std::size_t most);
  boost::asio::awaitable<bool> read_answer(Exchange& exchange, std::string& head);
  boost::asio::awaitable<void> upload(Exchange& exchange);
  boost::asio::awaitable<bool> upload_body(Exchange& exchange);
  boost::asio::awaitable<void> end_upload(Exchange& exchange);
  boost::asio::awaitable<bool> relay_answer(Exchange& exchange, const AnswerHead& answer);
  boost::asio::awaitable<bool> relay_body(Exchange& exchange, const AnswerHead& answer,
                                          bool in_chunks);
  boost::asio::awaitable<bool> write_part(Socket& to, std::string_view part, bool in_chunks,
                                          bool is_end);
  boost::asio::awaitable<void> tunnel(Exchange& exchange, std::string_view head);
  boost::asio::awaitable<void> pump(Socket& from, Socket& to, Buffer& buffer);
  std::string request_text(const RequestHead& head, const Target& target, const Decision& decision,
                           const std::string& client, const Address& upstream) const;

  verifier::http::IpAddress client_of(const RequestHead& head, bool is_decision) const;
  void tell(const Decision& decision, std::string_view method, std::string_view path,
            std::string_view client);
  void move_deadline(std::chrono::seconds time) { deadline_ = thread_.now + time; }

  Shared& shared_;
  Thread& thread_;
  const Listener listener_;
  const verifier::http::IpAddress peer_;
  const bool is_trusted_;
  Socket client_;
  Buffer buffer_;
  std::string out_;                               // the answer, while it is written
  std::string_view head_text_;                    // of the request at hand
  std::string kept_head_;                         // where the buffer's bytes may move
  std::shared_ptr<UpstreamConnection> upstream_;  // of the request at hand
  SteadyTime deadline_;
  bool busy_ = false;
  bool waits_for_upstream_ = false;  // whose silence is a 504, and not the client's fault
  bool timed_out_ = false;
  std::list<std::weak_ptr<Connection>>::iterator place_;
};

// "X-Touchmark-Status: valid\r\n..." of a decision.
void append_facts(std::string& out, const Decision& decision);

}  // namespace touchmark::relying::gateway
