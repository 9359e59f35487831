// SPDX-License-Identifier: Apache-2.0
// Reports give way to the intake of events, whoever starts the helper; systemd's unit says the same (Nice=). System
// calls alone, as a vfork child may make; what is not allowed is done without.
#pragma once

namespace tocsin::jobs {

// Low priority for this thread and all that it starts, and one processor, where there are more, left to others: beside
// scripts on every processor even a flush of the disk waits for the scheduler's next tick.
void give_way();
// Of the session that this process leads: where the kernel gives each a group of its own, niceness counts within it
// alone.
void give_way_in_session();

} // namespace tocsin::jobs
