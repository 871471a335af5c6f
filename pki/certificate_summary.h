// Certificates and keys as their owners hold them, for people and tools that show, register or pin
// them. Read by OpenSSL's decoder: what somebody's server or signing tool has made is to be named,
// not judged. Nothing ever asks for a passphrase.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::pki {

// The subject in one line, "/C=US/O=Example/CN=api.example.com", cut at 512 bytes. `der` is a
// certificate and nothing else: certificate.malformed.
Result<std::string> subject_text(ByteView der);

struct CertificateSummary {
  std::string subject;  // "CN=api.example.com, O=Example"
  Bytes spki;           // DER SubjectPublicKeyInfo; empty when the key is of an unknown kind
};
// Of a certificate at the start of `der`; nullopt when there is none.
std::optional<CertificateSummary> summarize_certificate(ByteView der);

// The DER of the first certificate in a PEM file, whatever stands before it.
std::optional<Bytes> first_pem_certificate(std::string_view pem);
// The same, or of a DER file.
std::optional<Bytes> first_certificate(ByteView file);
// The DER SubjectPublicKeyInfo of the first public or private key in a PEM file.
std::optional<Bytes> first_pem_key(std::string_view pem);

// The key that a file is about, as PEM or DER: of a certificate (of a chain the first), a private
// or public key, or a certificate request (PKCS #10). nullopt when there is none that can be read.
struct FileKey {
  std::string subject;  // of a certificate or a request; empty for a bare key
  Bytes spki;           // DER SubjectPublicKeyInfo; empty when the key is of an unknown kind
};
std::optional<FileKey> key_of_file(ByteView file);

}  // namespace touchmark::pki
