// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/objects.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr const char* unknown_interface = "org.freedesktop.DBus.Error.UnknownInterface";
constexpr const char* unknown_property = "org.freedesktop.DBus.Error.UnknownProperty";
constexpr const char* invalid_arguments = "org.freedesktop.DBus.Error.InvalidArgs";

// The row of a vtable finds its method through userdata + offset.
struct Bound {
    Gate* gate = nullptr;
    const Method* method = nullptr;
};

int on_method(sd_bus_message* message, void* userdata, sd_bus_error* /*error*/) {
    const auto& bound = *static_cast<const Bound*>(userdata);
    bound.gate->admit(message, *bound.method);
    return 1;
}

// Get and GetAll are answered by Objects; sd-bus knows properties only to introspect them.
int on_property(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/, const char* /*property*/,
                sd_bus_message* /*reply*/, void* /*userdata*/, sd_bus_error* /*error*/) {
    return -EACCES;
}

sd_bus_vtable row(char type, std::uint64_t flags) {
    sd_bus_vtable entry;
    std::memset(&entry, 0, sizeof entry); // the whole union, as sd-bus asks
    entry.type = static_cast<std::uint8_t>(type);
    entry.flags = flags & ((std::uint64_t{1} << 56U) - 1);
    return entry;
}

std::string joined(const Arguments& in, const Arguments& out) {
    std::string names;
    for (const Arguments* side : {&in, &out}) {
        for (const char* name : side->names) {
            names.append(name).push_back('\0');
        }
    }
    return names;
}

std::uint64_t flags_of(Emits emits) {
    switch (emits) {
    case Emits::never:
        return 0;
    case Emits::change:
        return SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    case Emits::constant:
        return SD_BUS_VTABLE_PROPERTY_CONST;
    }
    return 0;
}

void write_properties(Out& out, const Interface& interface, const std::vector<PropertyValue>& values) {
    out.open('a', "{sv}");
    for (std::size_t i = 0; i < values.size(); ++i) {
        out.entry(interface.properties.at(i).name, values[i]);
    }
    out.close();
}

void answer_all(Call call, const Interface& interface, const Result<std::vector<PropertyValue>>& values) {
    if (!values) {
        call.refuse(values.error());
        return;
    }
    call.reply([&interface, &values](Out& out) { write_properties(out, interface, *values); });
}

void answer_one(Call call, std::size_t which, const Result<std::vector<PropertyValue>>& values) {
    if (!values) {
        call.refuse(values.error());
        return;
    }
    call.reply([which, &values](Out& out) { out.variant(values->at(which)); });
}

} // namespace

struct Objects::Exported {
    Place place;
    Interface interface;
    std::vector<Bound> bound{};
    std::vector<std::string> names{};
    std::vector<sd_bus_vtable> vtable{};
    Slot slot{};

    void build(Gate& gate);
    Result<void> export_on(sd_bus* bus);
    static int find(sd_bus* bus, const char* path, const char* interface, void* userdata, void** found,
                    sd_bus_error* error);
};

struct Objects::Listing {
    Place place;
    std::function<std::vector<std::string>()> paths;
    Slot slot{};

    static int enumerate(sd_bus* bus, const char* prefix, void* userdata, char*** nodes, sd_bus_error* error);
};

void Objects::Exported::build(Gate& gate) {
    bound.clear();
    names.clear();
    names.reserve(interface.methods.size() + interface.signals.size());
    sd_bus_vtable start = row(_SD_BUS_VTABLE_START, 0);
    start.x.start.element_size = sizeof(sd_bus_vtable);
    start.x.start.features = _SD_BUS_VTABLE_PARAM_NAMES;
    start.x.start.vtable_format_reference = &sd_bus_object_vtable_format;
    vtable.assign(1, start);
    for (const Method& method : interface.methods) {
        sd_bus_vtable entry = row(_SD_BUS_VTABLE_METHOD, SD_BUS_VTABLE_UNPRIVILEGED);
        entry.x.method.member = method.member;
        entry.x.method.signature = method.in.signature;
        entry.x.method.result = method.out.signature;
        entry.x.method.handler = on_method;
        entry.x.method.offset = bound.size() * sizeof(Bound);
        entry.x.method.names = names.emplace_back(joined(method.in, method.out)).c_str();
        bound.push_back({&gate, &method});
        vtable.push_back(entry);
    }
    for (const Property& property : interface.properties) {
        sd_bus_vtable entry = row(_SD_BUS_VTABLE_PROPERTY, flags_of(property.emits));
        entry.x.property.member = property.name;
        entry.x.property.signature = property.signature;
        entry.x.property.get = on_property;
        vtable.push_back(entry);
    }
    for (const Signal& signal : interface.signals) {
        sd_bus_vtable entry = row(_SD_BUS_VTABLE_SIGNAL, 0);
        entry.x.signal.member = signal.member;
        entry.x.signal.signature = signal.arguments.signature;
        entry.x.signal.names = names.emplace_back(joined(signal.arguments, {})).c_str();
        vtable.push_back(entry);
    }
    vtable.push_back(row(_SD_BUS_VTABLE_END, 0));
}

int Objects::Exported::find(sd_bus* /*bus*/, const char* path, const char* /*interface*/, void* userdata, void** found,
                            sd_bus_error* /*error*/) {
    auto& self = *static_cast<Exported*>(userdata);
    try {
        // Whether it is there is asked when it is used: that may take a look at the disk.
        if (!belongs(self.place, path)) {
            return 0;
        }
    } catch (const std::exception&) {
        return -ENOMEM;
    }
    *found = self.bound.data();
    return 1;
}

Result<void> Objects::Exported::export_on(sd_bus* bus) {
    sd_bus_slot* raw = nullptr;
    const int done = place == Place::root
                         ? sd_bus_add_object_vtable(bus, &raw, root_path, interface.name, vtable.data(), bound.data())
                         : sd_bus_add_fallback_vtable(bus, &raw, prefix_of(place), interface.name, vtable.data(),
                                                      &Exported::find, this);
    slot.reset(raw);
    if (done < 0) {
        return fail(Code::unavailable, "bus", interface.name, "cannot be exported (" + reason_of(done) + ")");
    }
    return {};
}

int Objects::Listing::enumerate(sd_bus* /*bus*/, const char* /*prefix*/, void* userdata, char*** nodes,
                                sd_bus_error* /*error*/) {
    try {
        const std::vector<std::string> paths = static_cast<Listing*>(userdata)->paths();
        // sd-bus frees the list and its texts with free().
        auto** list = static_cast<char**>(std::calloc(paths.size() + 1, sizeof(char*)));
        if (list == nullptr) {
            return -ENOMEM;
        }
        for (std::size_t i = 0; i < paths.size(); ++i) {
            list[i] = ::strdup(paths[i].c_str()); // a null ends the list early
        }
        *nodes = list;
    } catch (const std::exception&) {
        return -ENOMEM;
    }
    return 0;
}

Objects::Objects(Gate& gate)
    : gate_(gate),
      get_("Get", Action::read, {"ss", {"interface", "property"}}, {"v", {"value"}}, bind(this, &Objects::get)),
      get_all_("GetAll", Action::read, {"s", {"interface"}}, {"a{sv}", {"properties"}}, bind(this, &Objects::get_all)) {
}

Objects::~Objects() = default;

void Objects::add(Place place, Interface interface) {
    exported_.push_back(std::make_unique<Exported>(Exported{place, std::move(interface)}));
    exported_.back()->build(gate_);
}

void Objects::list(Place place, std::function<std::vector<std::string>()> paths) {
    listings_.push_back(std::make_unique<Listing>(Listing{place, std::move(paths)}));
}

Result<void> Objects::export_on(sd_bus* bus) {
    for (auto exported = exported_.rbegin(); exported != exported_.rend();
         ++exported) { // sd-bus shows the newest first
        if (auto done = (*exported)->export_on(bus); !done) {
            return done;
        }
    }
    for (const auto& listing : listings_) {
        sd_bus_slot* raw = nullptr;
        const int done =
            sd_bus_add_node_enumerator(bus, &raw, prefix_of(listing->place), &Listing::enumerate, listing.get());
        listing->slot.reset(raw);
        if (done < 0) {
            return fail(Code::unavailable, "bus", prefix_of(listing->place),
                        "cannot be listed (" + reason_of(done) + ")");
        }
    }
    sd_bus_slot* raw = nullptr;
    const int done = sd_bus_add_filter(bus, &raw, &Objects::on_filter, this);
    filter_.reset(raw);
    if (done < 0) {
        return fail(Code::unavailable, "bus", "properties", "cannot be exported (" + reason_of(done) + ")");
    }
    return {};
}

void Objects::withdraw() {
    filter_.reset();
    for (const auto& listing : listings_) {
        listing->slot.reset();
    }
    for (const auto& exported : exported_) {
        exported->slot.reset();
    }
}

int Objects::on_filter(sd_bus_message* message, void* userdata, sd_bus_error* /*error*/) {
    try {
        return static_cast<Objects*>(userdata)->takes(message) ? 1 : 0;
    } catch (const std::exception&) {
        return -ENOMEM;
    }
}

bool Objects::takes(sd_bus_message* message) {
    const bool one = sd_bus_message_is_method_call(message, properties_interface, get_.member) > 0 &&
                     sd_bus_message_has_signature(message, get_.in.signature) > 0;
    const bool all = sd_bus_message_is_method_call(message, properties_interface, get_all_.member) > 0 &&
                     sd_bus_message_has_signature(message, get_all_.in.signature) > 0;
    if ((!one && !all) || at(sd_bus_message_get_path(message)).empty()) {
        return false; // sd-bus knows what to say
    }
    gate_.admit(message, one ? get_ : get_all_);
    return true;
}

std::vector<Objects::Exported*> Objects::at(const std::string& path) const {
    std::vector<Exported*> found;
    for (const auto& exported : exported_) {
        if (belongs(exported->place, path)) {
            found.push_back(exported.get());
        }
    }
    return found;
}

void Objects::get(Call call) {
    const char* interface = nullptr;
    const char* name = nullptr;
    if (sd_bus_message_read(call.message(), "ss", &interface, &name) < 0) {
        call.refuse_as(invalid_arguments, "the arguments cannot be read");
        return;
    }
    for (Exported* exported : at(call.path())) {
        if (std::string_view(exported->interface.name) != interface) {
            continue;
        }
        const auto& properties = exported->interface.properties;
        for (std::size_t i = 0; i < properties.size(); ++i) {
            if (std::string_view(properties[i].name) == name) {
                std::string path = call.path();
                exported->interface.read(
                    path, [i, held = std::move(call)](auto values) mutable { answer_one(std::move(held), i, values); });
                return;
            }
        }
        call.refuse_as(unknown_property, std::string(interface) + " has no property " + name);
        return;
    }
    call.refuse_as(unknown_interface, std::string("there is no interface ") + interface + " here");
}

void Objects::get_all(Call call) {
    const char* interface = nullptr;
    if (sd_bus_message_read(call.message(), "s", &interface) < 0) {
        call.refuse_as(invalid_arguments, "the argument cannot be read");
        return;
    }
    for (Exported* exported : at(call.path())) {
        const Interface& found = exported->interface;
        const bool wanted =
            interface[0] == '\0' ? !found.properties.empty() : std::string_view(found.name) == interface;
        if (!wanted) {
            continue;
        }
        if (found.properties.empty()) {
            call.reply([](Out& out) { write_properties(out, {}, {}); });
            return;
        }
        std::string path = call.path();
        found.read(path, [&found, held = std::move(call)](auto values) mutable {
            answer_all(std::move(held), found, values);
        });
        return;
    }
    call.refuse_as(unknown_interface, std::string("there is no interface ") + interface + " here");
}

} // namespace tocsin::ipc::dbus
