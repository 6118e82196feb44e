// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/nested_exceptions.hpp"

#include <durable/base/error.hpp>
#include <durable/base/error_object.hpp>
#include <durable/base/exception.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

using durable::ErrorObject;
using durable::errorObjectOf;

namespace shop {

struct OutOfStock : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Says itself how it is recorded.
struct HotelFull : std::runtime_error, durable::ErrorDetails {
    explicit HotelFull(std::string inCity)
        : std::runtime_error{"no room in " + inCity}, city{std::move(inCity)} {}
    std::string errorType() const override { return "Hotel.Full"; }
    std::string errorData() const override { return R"({"city":")" + city + "\"}"; }
    std::string city;
};

/// Says nothing more than its type.
struct Terse : durable::ErrorDetails {};

}  // namespace shop

namespace {

template <class Exception>
ErrorObject recordedOf(const Exception& exception) {
    return errorObjectOf(std::make_exception_ptr(exception));
}

ErrorObject withCause(ErrorObject error, ErrorObject cause) {
    error.cause = std::make_shared<const ErrorObject>(std::move(cause));
    return error;
}

/// What an error says, with a message recorded and without one.
template <class Error>
void checkNameAndMessage(const std::string& name, const std::string& fallback) {
    const Error said{{.type = "Cause", .message = "because"}};
    const Error silent{ErrorObject{}};

    CHECK(said.name() == name);
    CHECK(std::string{said.what()} == "because");
    CHECK(silent.name() == name);
    CHECK(std::string{silent.what()} == fallback);
}

}  // namespace

TEST_CASE(
    "each error of an operation has its name, the recorded message, and a message of its own") {
    checkNameAndMessage<durable::StepError>("StepError", "Unknown error");
    checkNameAndMessage<durable::ChildContextError>("ChildContextError", "Child context failed");
    checkNameAndMessage<durable::CallbackError>("CallbackError", "Callback failed");
    checkNameAndMessage<durable::CallbackExternalError>("CallbackExternalError", "Callback failed");
    checkNameAndMessage<durable::CallbackTimeoutError>("CallbackTimeoutError",
                                                       "Callback timed out");
    checkNameAndMessage<durable::CallbackSubmitterError>("CallbackSubmitterError",
                                                         "Callback submitter failed");
    checkNameAndMessage<durable::InvokeError>("InvokeError", "Invoke failed");
    checkNameAndMessage<durable::WaitForConditionError>("WaitForConditionError",
                                                        "waitForCondition failed");
    checkNameAndMessage<durable::BatchCompletionError>(
        "BatchCompletionError", "Batch completed as failed by shouldComplete");
    checkNameAndMessage<durable::ExecutionError>("ExecutionError", "Execution failed");
}

TEST_CASE("the three reasons of a callback are callback errors, and all of them durable errors") {
    CHECK(std::is_base_of_v<durable::CallbackError, durable::CallbackExternalError>);
    CHECK(std::is_base_of_v<durable::CallbackError, durable::CallbackTimeoutError>);
    CHECK(std::is_base_of_v<durable::CallbackError, durable::CallbackSubmitterError>);
    CHECK(std::is_base_of_v<durable::DurableError, durable::CallbackError>);
    CHECK_THROWS_AS(throw durable::CallbackTimeoutError{ErrorObject{}}, durable::CallbackError);
}

TEST_CASE("a durable error tells the type and the data of what failed, or empty text") {
    const durable::StepError full{{.type = "CardError", .message = "declined", .data = "code=51"}};
    const durable::StepError empty{ErrorObject{}};

    CHECK(full.errorType() == "CardError");
    CHECK(full.errorData() == "code=51");
    CHECK(empty.errorType().empty());
    CHECK(empty.errorData().empty());
}

TEST_CASE("an error is caused by itself, by the type that failed and by what led to it") {
    const durable::ChildContextError error{withCause(
        {.type = "StepError"}, withCause({.type = "InvokeError"}, {.type = "CardError"}))};

    CHECK(error.isCausedBy("ChildContextError"));
    CHECK(error.isCausedBy("StepError"));
    CHECK(error.isCausedBy("InvokeError"));
    CHECK(error.isCausedBy("CardError"));
    CHECK_FALSE(error.isCausedBy("Card"));
    CHECK_FALSE(error.isCausedBy(""));
}

TEST_CASE("a copy of a durable error says the same when the original is gone") {
    auto original = std::make_unique<durable::StepError>(ErrorObject{.type = "A", .message = "m"});
    const durable::StepError copy{*original};
    original.reset();

    CHECK(copy.errorType() == "A");
    CHECK(std::string{copy.what()} == "m");
}

TEST_CASE("errors are equal if everything recorded of them is, causes included") {
    const ErrorObject error{.type = "A", .message = "m", .data = "d", .stackTrace = {"f"}};
    auto other = error;

    CHECK(error == other);
    other.stackTrace.push_back("g");
    CHECK_FALSE(error == other);
    CHECK(withCause(error, {.type = "B"}) == withCause(error, {.type = "B"}));
    CHECK_FALSE(withCause(error, {.type = "B"}) == withCause(error, {.type = "C"}));
    CHECK_FALSE(withCause(error, {}) == error);
    CHECK_FALSE(error == withCause(error, {}));
}

TEST_CASE("an absent member of an error is not an empty one") {
    CHECK_FALSE(ErrorObject{.type = ""} == ErrorObject{});
    CHECK_FALSE(ErrorObject{.message = ""} == ErrorObject{});
    CHECK_FALSE(ErrorObject{.data = ""} == ErrorObject{});
    CHECK(ErrorObject{.message = ""}.messageOr("fallback").empty());
    CHECK(ErrorObject{}.messageOr("fallback") == "fallback");
}

TEST_CASE("of an exception its type, with its namespace, and its message are recorded") {
    CHECK(recordedOf(shop::OutOfStock{"no nails"}) ==
          ErrorObject{.type = "shop::OutOfStock", .message = "no nails"});
    CHECK(recordedOf(std::runtime_error{""}) ==
          ErrorObject{.type = "std::runtime_error", .message = ""});
}

TEST_CASE("of something thrown that is no exception only that it happened is recorded") {
    CHECK(recordedOf(42) == ErrorObject{.message = "Unknown error"});
    CHECK(recordedOf(std::string{"text"}) == ErrorObject{.message = "Unknown error"});
}

TEST_CASE(
    "of a durable error its class, its data and, as the cause, what was recorded of it are "
    "recorded") {
    const ErrorObject inner{.type = "CardError", .message = "declined", .data = "code=51"};

    CHECK(recordedOf(durable::StepError{inner}) ==
          withCause({.type = "StepError", .message = "declined", .data = "code=51"}, inner));
    CHECK(recordedOf(durable::StepError{ErrorObject{}}) ==
          withCause({.type = "StepError", .message = "Unknown error"}, {}));
}

TEST_CASE("an error that escapes several operations keeps every cause") {
    const auto step = recordedOf(durable::StepError{{.type = "CardError", .message = "declined"}});
    const auto child = recordedOf(durable::ChildContextError{step});
    const durable::ExecutionError escaped{child};

    CHECK(escaped.errorType() == "ChildContextError");
    CHECK(escaped.isCausedBy("StepError"));
    CHECK(escaped.isCausedBy("CardError"));
    CHECK(std::string{escaped.what()} == "declined");
}

TEST_CASE("a store error is permanent unless it is said to be retryable") {
    CHECK_FALSE(durable::StoreError{"disk full"}.retryable());
    CHECK(durable::StoreError{"locked", durable::StoreError::Kind::retryable}.retryable());
}

TEST_CASE("an interrupted step says what happened") {
    CHECK(std::string{durable::StepInterruptedError{}.what()} ==
          "The step was started, but a crash or restart ended it before its outcome was recorded.");
}

TEST_CASE("a type that has no readable name is told by the name it has") {
    CHECK(durable::typeName("not a mangled name") == "not a mangled name");
    CHECK(durable::typeName(typeid(int).name()) == "int");
}

TEST_CASE("an exception may say its own type and data") {
    CHECK(recordedOf(shop::HotelFull{"oslo"}) == ErrorObject{.type = "Hotel.Full",
                                                             .message = "no room in oslo",
                                                             .data = R"({"city":"oslo"})"});
    CHECK(recordedOf(shop::Terse{}) == ErrorObject{.type = "shop::Terse"});
}

TEST_CASE("an exception that was thrown for another one has it as its cause") {
    ErrorObject recorded;
    try {
        try {
            try {
                throw shop::HotelFull{"oslo"};
            } catch (...) {
                std::throw_with_nested(shop::OutOfStock{"no offer"});
            }
        } catch (...) {
            std::throw_with_nested(std::runtime_error{"no trip"});
        }
    } catch (...) {
        recorded = errorObjectOf(std::current_exception());
    }
    CHECK(recorded.message == "no trip");
    REQUIRE(recorded.cause);
    CHECK(recorded.cause->message == "no offer");
    REQUIRE(recorded.cause->cause);
    CHECK(recorded.cause->cause->type == "Hotel.Full");

    const durable::StepError error{recorded};
    CHECK(error.isCausedBy("Hotel.Full"));
}

TEST_CASE("what led to an error can be asked by class") {
    const durable::StepError error{recordedOf(shop::OutOfStock{"none"})};
    const durable::ChildContextError outer{recordedOf(error)};

    CHECK(outer.isCausedBy<shop::OutOfStock>());
    CHECK(outer.isCausedBy<durable::StepError>());
    CHECK(outer.isCausedBy<durable::ChildContextError>());
    CHECK_FALSE(outer.isCausedBy<std::out_of_range>());
    CHECK_FALSE(outer.isCausedBy<durable::InvokeError>());
}

namespace {
struct Unnamed : std::runtime_error {
    using std::runtime_error::runtime_error;
};
}  // namespace

TEST_CASE("an unnamed namespace is no part of a type's name") {
    CHECK(recordedOf(Unnamed{"x"}).type == "Unnamed");
}

namespace {

struct Speechless : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

struct Broken : std::runtime_error, durable::ErrorDetails {
    using std::runtime_error::runtime_error;
    [[nodiscard]] std::string errorData() const override { throw std::logic_error{"not now"}; }
};

}  // namespace

TEST_CASE("an exception that cannot say what it is is recorded as far as it can") {
    const auto speechless = durable::errorObjectOf(std::make_exception_ptr(Speechless{}));
    CHECK(speechless.message == "");

    const auto broken = durable::errorObjectOf(std::make_exception_ptr(Broken{"declined"}));
    CHECK(broken.message == "declined");
    CHECK(broken.data == std::nullopt);
}

TEST_CASE("of exceptions nested in each other as many are recorded as are kept") {
    const auto error = durable::errorObjectOf(nestedExceptions(300));
    std::size_t causes = 0;
    for (const auto* at = error.cause.get(); at != nullptr; at = at->cause.get()) ++causes;

    CHECK(causes == durable::errorCausesMax);
}
