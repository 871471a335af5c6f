// The bytes of one TLS connection, each operation under a deadline. OpenSSL reads and writes the
// socket through a BIO of ours (tls_stream.cc), so that a connection that waits holds no buffers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "verifier/http/tls.h"

namespace touchmark::verifier::http {

// Not thread-safe: everything runs on the strand of the socket.
class TlsStream {
 public:
  explicit TlsStream(boost::asio::ip::tcp::socket socket);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  boost::asio::any_io_executor executor();
  // The client's address; an error when it is gone already.
  boost::asio::ip::tcp::endpoint peer(boost::system::error_code& error) const;
  SSL* native_handle();  // after handshake() began

  // An operation that still runs when this time is over fails, and the connection is closed.
  void expires_after(std::chrono::steady_clock::duration time);
  // Ends what runs, with operation_aborted.
  void cancel();
  // The same, and closes the connection without a goodbye.
  void abort();

  // Until the client has sent something. Until then a connection holds no memory for TLS.
  boost::asio::awaitable<boost::system::error_code> first_byte();
  // Whether a whole TLS record is there to be read: clients send their ClientHello at once.
  bool has_record();
  // `identity` lives as long as the stream. A session resumes only where certificate and `group`
  // are those that it began with.
  boost::asio::awaitable<boost::system::error_code> handshake(
      std::shared_ptr<ServedTls::Identity> identity, std::uint8_t group);
  struct Read {
    boost::system::error_code error;  // eof or stream_truncated at the end
    std::size_t bytes = 0;
  };
  boost::asio::awaitable<Read> read_some(boost::asio::mutable_buffer into);
  boost::asio::awaitable<boost::system::error_code> write(std::string_view bytes);
  // Says goodbye, and closes once the client has closed, so that it sees what was sent last.
  boost::asio::awaitable<void> close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace touchmark::verifier::http
