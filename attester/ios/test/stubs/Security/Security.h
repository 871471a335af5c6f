// As Foundation.h beside it, of the Security framework.
#pragma once

#import <Foundation/Foundation.h>

typedef struct CF_BRIDGED __SecKey* SecKeyRef;
typedef struct CF_BRIDGED __SecAccessControl* SecAccessControlRef;
typedef struct CF_BRIDGED __SecCertificate* SecCertificateRef;
typedef CFStringRef SecKeyAlgorithm;
typedef unsigned long SecAccessControlCreateFlags;

enum { errSecSuccess = 0, errSecItemNotFound = -25300 };
enum { kSecAccessControlPrivateKeyUsage = 1u << 30 };

extern const CFStringRef kSecClass, kSecClassKey, kSecAttrApplicationTag, kSecAttrTokenID,
    kSecAttrTokenIDSecureEnclave, kSecReturnRef, kSecAttrKeyType, kSecAttrKeyTypeECSECPrimeRandom,
    kSecAttrKeySizeInBits, kSecPrivateKeyAttrs, kSecAttrIsPermanent, kSecAttrAccessControl,
    kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly;
extern const SecKeyAlgorithm kSecKeyAlgorithmECDSASignatureMessageX962SHA256;

OSStatus SecItemCopyMatching(CFDictionaryRef query, CFTypeRef* result);
OSStatus SecItemDelete(CFDictionaryRef query);
SecAccessControlRef SecAccessControlCreateWithFlags(CFAllocatorRef allocator, CFTypeRef protection,
                                                    SecAccessControlCreateFlags flags,
                                                    CFErrorRef* error)
    __attribute__((cf_returns_retained));
SecKeyRef SecKeyCreateRandomKey(CFDictionaryRef attributes, CFErrorRef* error)
    __attribute__((cf_returns_retained));
SecKeyRef SecKeyCopyPublicKey(SecKeyRef key) __attribute__((cf_returns_retained));
CFDataRef SecKeyCopyExternalRepresentation(SecKeyRef key, CFErrorRef* error)
    __attribute__((cf_returns_retained));
CFDataRef SecKeyCreateSignature(SecKeyRef key, SecKeyAlgorithm algorithm, CFDataRef data,
                                CFErrorRef* error) __attribute__((cf_returns_retained));

Boolean SecTrustEvaluateWithError(SecTrustRef trust, CFErrorRef* error);
CFIndex SecTrustGetCertificateCount(SecTrustRef trust);
SecCertificateRef SecTrustGetCertificateAtIndex(SecTrustRef trust, CFIndex index);
CFDataRef SecCertificateCopyData(SecCertificateRef certificate)
    __attribute__((cf_returns_retained));
