#import "TMSecureEnclaveKey.h"

#import <Security/Security.h>

#import "TMAppAttest.h"

// SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480).
static const uint8_t kSpkiHead[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

@implementation TMSecureEnclaveKey {
  SecKeyRef _key;  // private; its bytes never leave the Enclave
  TMAppAttest *_appAttest;
}

- (void)dealloc {
  if (_key != NULL) CFRelease(_key);
}

static NSData *tag_of(const char *account) {
  return [[@"touchmark.installation." stringByAppendingString:@(account)]
      dataUsingEncoding:NSUTF8StringEncoding];
}

- (void)take:(SecKeyRef)key account:(const char *)account {
  if (_key != NULL) CFRelease(_key);
  _key = key;
  _appAttest = [[TMAppAttest alloc] initWithAccount:@(account)];
}

- (touchmark_key_status)givePublicKeyTo:(touchmark_bytes *)spki {
  SecKeyRef public_key = SecKeyCopyPublicKey(_key);
  if (public_key == NULL) return TOUCHMARK_KEY_FAILED;
  NSData *point = CFBridgingRelease(SecKeyCopyExternalRepresentation(public_key, NULL));
  CFRelease(public_key);
  if (point.length != 65) return TOUCHMARK_KEY_FAILED;
  NSMutableData *encoded = [NSMutableData dataWithBytes:kSpkiHead length:sizeof kSpkiHead];
  [encoded appendData:point];
  touchmark_bytes_set(spki, encoded.bytes, encoded.length);
  return TOUCHMARK_KEY_OK;
}

- (touchmark_key_status)loadForAccount:(const char *)account into:(touchmark_bytes *)spki {
  NSDictionary *query = @{
    (__bridge id)kSecClass : (__bridge id)kSecClassKey,
    (__bridge id)kSecAttrApplicationTag : tag_of(account),
    (__bridge id)kSecAttrTokenID : (__bridge id)kSecAttrTokenIDSecureEnclave,
    (__bridge id)kSecReturnRef : @YES,
  };
  CFTypeRef found = NULL;
  const OSStatus status = SecItemCopyMatching((__bridge CFDictionaryRef)query, &found);
  if (status == errSecItemNotFound) return TOUCHMARK_KEY_NONE;
  if (status != errSecSuccess) return TOUCHMARK_KEY_FAILED;
  [self take:(SecKeyRef)found account:account];
  return [self givePublicKeyTo:spki];
}

// The challenge is not used here: App Attest, not the key's own certificate, vouches for this key.
- (touchmark_key_status)makeForAccount:(const char *)account into:(touchmark_bytes *)spki {
  NSDictionary *old = @{
    (__bridge id)kSecClass : (__bridge id)kSecClassKey,
    (__bridge id)kSecAttrApplicationTag : tag_of(account),
  };
  SecItemDelete((__bridge CFDictionaryRef)old);
  SecAccessControlRef access =
      SecAccessControlCreateWithFlags(NULL, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
                                      kSecAccessControlPrivateKeyUsage, NULL);
  if (access == NULL) return TOUCHMARK_KEY_FAILED;
  NSDictionary *attributes = @{
    (__bridge id)kSecAttrKeyType : (__bridge id)kSecAttrKeyTypeECSECPrimeRandom,
    (__bridge id)kSecAttrKeySizeInBits : @256,
    (__bridge id)kSecAttrTokenID : (__bridge id)kSecAttrTokenIDSecureEnclave,
    (__bridge id)kSecPrivateKeyAttrs : @{
      (__bridge id)kSecAttrIsPermanent : @YES,
      (__bridge id)kSecAttrApplicationTag : tag_of(account),
      (__bridge id)kSecAttrAccessControl : (__bridge id)access,
    },
  };
  SecKeyRef key = SecKeyCreateRandomKey((__bridge CFDictionaryRef)attributes, NULL);
  CFRelease(access);
  if (key == NULL) return TOUCHMARK_KEY_FAILED;  // a simulator, which has no Enclave
  [self take:key account:account];
  [_appAttest forget];  // what vouched for the key before does not vouch for this one
  return [self givePublicKeyTo:spki];
}

- (touchmark_key_status)sign:(NSData *)data into:(touchmark_bytes *)signature {
  if (_key == NULL) return TOUCHMARK_KEY_NONE;
  CFErrorRef error = NULL;
  NSData *der = CFBridgingRelease(SecKeyCreateSignature(
      _key, kSecKeyAlgorithmECDSASignatureMessageX962SHA256, (__bridge CFDataRef)data, &error));
  if (der == nil) {
    const CFIndex code = error == NULL ? 0 : CFErrorGetCode(error);
    if (error != NULL) CFRelease(error);
    return code == errSecItemNotFound ? TOUCHMARK_KEY_NONE : TOUCHMARK_KEY_FAILED;
  }
  touchmark_bytes_set(signature, der.bytes, der.length);
  return TOUCHMARK_KEY_OK;
}

- (touchmark_key_status)evidenceFor:(const touchmark_evidence_request *)request
                               into:(touchmark_bytes *)json {
  if (request->provider_key == 0) return TOUCHMARK_KEY_FAILED;
  NSData *hash = [NSData dataWithBytes:request->app_attest_client_data_hash
                                length:sizeof request->app_attest_client_data_hash];
  NSDictionary *submod = [_appAttest evidenceForClientDataHash:hash nonce:@(request->nonce)];
  if (submod == nil) return TOUCHMARK_KEY_FAILED;
  NSData *text = [NSJSONSerialization dataWithJSONObject:@{@"app-attest" : submod}
                                                 options:0
                                                   error:NULL];
  if (text == nil) return TOUCHMARK_KEY_FAILED;
  touchmark_bytes_set(json, text.bytes, text.length);
  return TOUCHMARK_KEY_OK;
}

// --- As C functions ------------------------------------------------------------------------------

static touchmark_key_status load(void *context, const char *account, touchmark_bytes *spki) {
  return [(__bridge TMSecureEnclaveKey *)context loadForAccount:account into:spki];
}

static touchmark_key_status make(void *context, const char *account, const uint8_t *challenge,
                                 size_t challenge_size, touchmark_bytes *spki) {
  (void)challenge;
  (void)challenge_size;
  return [(__bridge TMSecureEnclaveKey *)context makeForAccount:account into:spki];
}

static touchmark_key_status sign(void *context, const uint8_t *data, size_t size,
                                 touchmark_bytes *signature) {
  NSData *message = [NSData dataWithBytes:data length:size];
  return [(__bridge TMSecureEnclaveKey *)context sign:message into:signature];
}

static touchmark_key_status evidence(void *context, const touchmark_evidence_request *request,
                                     touchmark_bytes *json) {
  return [(__bridge TMSecureEnclaveKey *)context evidenceFor:request into:json];
}

- (touchmark_key_provider)provider {
  touchmark_key_provider provider = {0};
  provider.size = sizeof provider;
  provider.context = (__bridge void *)self;
  provider.name = "secure-enclave";
  provider.load = load;
  provider.make = make;
  provider.sign = sign;
  provider.evidence = evidence;
  return provider;
}

@end
