// SPDX-License-Identifier: Apache-2.0
#include "cli/value.hpp"

#include "core/json.hpp"

#include <simdjson.h>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace dom = simdjson::dom;

Value convert(dom::element element);

Value convert_array(dom::array array) {
    Value::Array out;
    out.reserve(array.size());
    for (const dom::element item : array) {
        out.push_back(convert(item));
    }
    return Value(std::move(out));
}

Value convert_object(dom::object object) {
    Value::Object out;
    out.reserve(object.size());
    for (const dom::key_value_pair member : object) {
        out.emplace_back(std::string(member.key), convert(member.value));
    }
    return Value(std::move(out));
}

// value_unsafe() after type() told the alternative; the parser bounds the depth.
Value convert(dom::element element) {
    switch (element.type()) {
    case dom::element_type::ARRAY:
        return convert_array(element.get_array().value_unsafe());
    case dom::element_type::OBJECT:
        return convert_object(element.get_object().value_unsafe());
    case dom::element_type::INT64:
        return Value(element.get_int64().value_unsafe());
    case dom::element_type::UINT64:
        return Value(element.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
        return Value(element.get_double().value_unsafe());
    case dom::element_type::STRING:
        return Value(std::string(element.get_string().value_unsafe()));
    case dom::element_type::BOOL:
        return Value(element.get_bool().value_unsafe());
    case dom::element_type::NULL_VALUE:
        break;
    }
    return {};
}

} // namespace

Result<Value> Value::parse(std::string_view text) {
    dom::parser parser;
    const simdjson::padded_string padded(text);
    dom::element root;
    if (const auto problem = parser.parse(padded).get(root); problem != simdjson::SUCCESS) {
        return fail(Code::invalid_argument, "json", "",
                    fmt::format("is not JSON: {}", simdjson::error_message(problem)));
    }
    return convert(root);
}

const Value& Value::operator[](std::string_view key) const {
    static const Value null;
    for (const auto& [name, value] : members()) {
        if (name == key) {
            return value;
        }
    }
    return null;
}

const Value::Array& Value::items() const {
    static const Array none;
    const auto* array = std::get_if<Array>(&data_);
    return array == nullptr ? none : *array;
}

const Value::Object& Value::members() const {
    static const Object none;
    const auto* object = std::get_if<Object>(&data_);
    return object == nullptr ? none : *object;
}

std::string Value::text() const {
    if (const auto* text = std::get_if<std::string>(&data_)) {
        return *text;
    }
    return is_null() ? std::string() : json();
}

std::uint64_t Value::number() const {
    if (const auto* whole = std::get_if<std::int64_t>(&data_)) {
        return *whole < 0 ? 0 : static_cast<std::uint64_t>(*whole);
    }
    const auto* whole = std::get_if<std::uint64_t>(&data_);
    return whole == nullptr ? 0 : *whole;
}

double Value::real() const {
    if (const auto* real = std::get_if<double>(&data_)) {
        return *real;
    }
    if (const auto* whole = std::get_if<std::int64_t>(&data_)) {
        return static_cast<double>(*whole);
    }
    return static_cast<double>(number());
}

bool Value::truth() const {
    const auto* truth = std::get_if<bool>(&data_);
    return truth != nullptr && *truth;
}

std::string Value::json() const {
    std::string out;
    append_json(out);
    return out;
}

void Value::append_json(std::string& out) const {
    if (const auto* array = std::get_if<Array>(&data_)) {
        out += '[';
        for (const Value& item : *array) {
            out += &item == array->data() ? "" : ",";
            item.append_json(out);
        }
        out += ']';
    } else if (const auto* object = std::get_if<Object>(&data_)) {
        out += '{';
        for (const auto& member : *object) {
            out += &member == object->data() ? "" : ",";
            json::append_string(out, member.first);
            out += ':';
            member.second.append_json(out);
        }
        out += '}';
    } else if (const auto* text = std::get_if<std::string>(&data_)) {
        json::append_string(out, *text);
    } else if (const auto* truth = std::get_if<bool>(&data_)) {
        out += *truth ? "true" : "false";
    } else if (const auto* negative = std::get_if<std::int64_t>(&data_)) {
        json::append_scalar(out, Scalar(*negative));
    } else if (const auto* positive = std::get_if<std::uint64_t>(&data_)) {
        json::append_scalar(out, Scalar(*positive));
    } else if (const auto* real = std::get_if<double>(&data_)) {
        json::append_scalar(out, Scalar(*real));
    } else {
        out += "null";
    }
}

} // namespace tocsin::cli
