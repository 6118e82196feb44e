// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

/// The SHA-256 of bytes that come piece by piece.
class Sha256 {
public:
    Sha256() { require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }

    void update(std::string_view bytes) {
        require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
    }

    /// Of everything so far, in hexadecimal. Call once.
    [[nodiscard]] std::string finish() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned int size = 0;
        require(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
        std::string hex;
        for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
        return hex;
    }

    /// Of a text as a whole.
    [[nodiscard]] static std::string of(std::string_view text) {
        Sha256 sha256;
        sha256.update(text);
        return sha256.finish();
    }

private:
    static void require(int succeeded) {
        if (succeeded != 1) throw std::runtime_error{"OpenSSL cannot compute SHA-256"};
    }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free};
};
