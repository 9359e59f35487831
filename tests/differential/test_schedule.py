# SPDX-License-Identifier: Apache-2.0
"""Calendar expressions as `systemd-analyze calendar` reads them, and cron fields beside a walk over local minutes with
Python's own time zones. Seeded; TOCSIN_ROUNDS multiplies what is drawn.

Deliberate differences from systemd, which the comparison leaves out:
* Asked within the second pass of a repeated hour, systemd names slots of that pass; a set of slots that depends on when it
  is asked cannot be beaten against, so ours are those of the first pass, always.
* systemd 252 counts a repetition that runs past its unit on into the next one ("*:5/50" loses the :05 of the next hour,
  later versions do not); ours begins anew there.
* systemd 252 allows each further value of a list behind "~" three days less (28, 25, 22, …); ours all 28.
* systemd 252 gives up ("Resource deadlock avoided") where a midnight does not exist; ours goes on to the next slot.
* The database's other forms of its zones (posix/…, right/…) are refused.
* "@" takes digits alone, not a sign or spaces before them.
* Five words are cron's; systemd has no expression of five.
"""

import os
import random
import re
import subprocess
from calendar import timegm
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from house import tool

ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "1"))
BATCH = 40
SLOTS = 6
GAVE_UP = "gave up"
ENVIRONMENT = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata",
         "Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham", "Europe/Dublin", "America/Santiago"]


def ask(questions):
    """[(base in s, zone, expression, n)] → for each a list of slots in µs, or the error as text."""
    lines = "".join(f"{base * 1_000_000}\t{zone}\t{text}\t{n}\n" for base, zone, text, n in questions)
    out = subprocess.run([tool("schedule_probe")], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [line.split("\t") for line in out.splitlines()]
    assert len(answers) == len(questions)
    return [[int(x) for x in rest] if kind == "ok" else rest[0] for kind, *rest in answers]


def systemd(base, expressions, n):
    """For each expression a list of slots in whole s, None where it is refused, GAVE_UP where it is taken in vain."""
    stamp = datetime.fromtimestamp(base, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    run = subprocess.run(["systemd-analyze", "calendar", f"--iterations={n}", f"--base-time={stamp}", "--", *expressions],
                         capture_output=True, text=True, env=ENVIRONMENT)
    refused = set(re.findall(r"Failed to parse calendar specification '(.*)': ", run.stderr))
    gave_up = set(re.findall(r"Failed to determine next elapse for '(.*)': ", run.stderr))
    if gave_up:
        rest = [e for e in expressions if e not in gave_up]
        found = dict(zip(rest, systemd(base, rest, n))) if rest else {}
        return [found[e] if e in found else GAVE_UP for e in expressions]
    blocks = [b for b in re.split(r"\n\n", run.stdout) if b.strip()]
    taken = [e for e in expressions if e not in refused]
    assert len(blocks) == len(taken), (run.stderr, expressions)
    slots = {}
    for expression, block in zip(taken, blocks):
        times = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", block)
        slots[expression] = [timegm(datetime.strptime(t, "%Y-%m-%d %H:%M:%S").timetuple()) for t in times]
    return [slots.get(e) for e in expressions]


def in_second_pass(at, zone):
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return local.fold == 1


def compare(base, expressions, n=SLOTS):
    """The expressions with different answers; with n = 0 it matters only whether they are taken."""
    ours = ask([(base, "", e, n) for e in expressions])
    different = []
    for expression, mine, theirs in zip(expressions, ours, systemd(base, expressions, max(n, 1))):
        taken = isinstance(mine, list)
        whole = [slot // 1_000_000 for slot in mine] if taken else mine
        same = taken == (theirs is not None) and (not taken or n == 0 or theirs == GAVE_UP or whole == theirs)
        if not same:
            different.append(f"{expression!r} after {base}: ours {whole}, systemd {theirs}")
    return different


def drawn_link(r, low, high):
    start = r.randint(low, high)
    link = str(start) if r.random() < 0.5 else f"{start:02}"
    if r.random() < 0.3:
        link += f"..{r.randint(start, high)}"
        if r.random() < 0.5:
            link += f"/{r.randint(1, max(1, (high - low) // 2))}"
    return link


def drawn_chain(r, low, high, wide):
    """A component at random; `wide` is how likely "*" is."""
    if r.random() < wide:
        return "*"
    if r.random() < 0.25: # a repetition without an end, of those that systemd does not lose (see above)
        start = r.randint(low, high)
        return f"{start}/{r.randint(1, max(1, start))}" if start else f"0/{r.choice((1, 2, 3, 4, 6, 12))}"
    return ",".join(drawn_link(r, low, high) for _ in range(r.choice((1, 1, 1, 2, 3))))


def drawn_seconds(r):
    if r.random() < 0.8:
        return drawn_chain(r, 0, 59, 0.2)
    return r.choice(("0/0.5", "1.25", "59.999999", "0.1..3/0.7", "10.0000005", "3..7/1.5", "7.3/7.3", "*"))


def drawn(r):
    """An expression at random: nearly always valid, some refused for a repetition that never comes."""
    parts = []
    if r.random() < 0.3:
        names = ["Mon", "Tue", "Wednesday", "thu", "FRI", "Sat", "Sunday"]
        i = r.randrange(7)
        parts.append(names[i] + (r.choice(("..", "-")) + names[r.randrange(i, 7)] if r.random() < 0.4 else "")
                     + ("," + r.choice(names) if r.random() < 0.3 else ""))
    if r.random() < 0.6:
        tilde = r.random() < 0.25
        date = drawn_chain(r, 1, 12, 0.6) + ("~" + drawn_chain(r, 1, 22, 0.1) if tilde else "-" + drawn_chain(r, 1, 31, 0.4))
        parts.append((drawn_chain(r, 2020, 2045, 0.8) + "-" if r.random() < 0.7 else "") + date)
    if r.random() < 0.8 or not parts:
        time = drawn_chain(r, 0, 23, 0.4) + ":" + drawn_chain(r, 0, 59, 0.3)
        parts.append(time + (":" + drawn_seconds(r) if r.random() < 0.4 else ""))
    if r.random() < 0.5:
        parts.append(r.choice(ZONES + ["UTC"]))
    return " ".join(parts)


def spoiled(r):
    """A valid expression with a letter changed, taken away or put in."""
    text = drawn(r)
    for _ in range(r.randint(1, 2)):
        at = r.randrange(len(text))
        text = r.choice((text[:at] + text[at + 1:], text[:at] + r.choice("0123456789*-~:./, @MonUTC") + text[at:],
                         text[:at] + r.choice("0123456789*-~:./, ") + text[at + 1:])) or "*"
    return text


def spread(batches):
    """All differences; two processes at a time."""
    with ThreadPoolExecutor(2) as pool:
        return [line for lines in pool.map(lambda b: compare(*b), batches) for line in lines]


def bases(r, count):
    """Moments from 1975 to 2150, a third of them shortly before a change of some clock; none in a second pass."""
    found = []
    while len(found) < count:
        at = r.randint(157_766_400, 5_680_000_000) if r.random() < 0.3 else r.randint(1_500_000_000, 2_100_000_000)
        if r.random() < 0.4:
            zone = ZoneInfo(r.choice(ZONES))
            step = 86_400
            here = datetime.fromtimestamp(at, zone).utcoffset()
            later = next((at + i * step for i in range(370)
                          if datetime.fromtimestamp(at + i * step, zone).utcoffset() != here), at)
            at = later - r.randint(step, 2 * step)
        if not any(in_second_pass(at, zone) for zone in ZONES):
            found.append(at)
    return found


def test_valid_expressions_have_the_same_slots():
    r = random.Random(252)
    different = spread([(base, [drawn(r) for _ in range(BATCH)]) for base in bases(r, 30 * ROUNDS)])
    assert not different, f"{len(different)} differ:\n" + "\n".join(different[:20])


def test_spoiled_expressions_are_taken_or_refused_alike():
    r = random.Random(17)
    batches = []
    for base in bases(r, 20 * ROUNDS):
        texts = [t for t in (spoiled(r) for _ in range(2 * BATCH)) if len(t.split()) < 5 and not re.search(r"@[^0-9]|~[^ ]*,", t)]
        batches.append((base, list(dict.fromkeys(texts)), 0))
    different = spread(batches)
    assert not different, f"{len(different)} differ:\n" + "\n".join(different[:20])


BY_HAND = """
minutely|hourly|daily|weekly|monthly|yearly|annually|anually|quarterly|semiannually|semi-annually|biannually|bi-annually
HOURLY|Daily UTC|weekly Europe/Berlin|half-yearly|Mon|Mon,|Mon,,|Mon..|Mon..Fri|Mon-Fri|Fri..Mon|Mon..Wed..Fri|Mon.Tue
Mon Tue|Monday|Mond|MONDAY 12:00|Mon  12:00|Mon,Wed..Fri 1:2:3|Mon..Sun|12|12:|:12|12:00:|12:00:00|12:0:0.|12:0:0..5
00:00..05|24:00|*:60|*:*:60|*:*:59.9999999|*:*:59.9999994|*:*:1.1234567|*:*:0/0.5|*:*:0/0.0000001|*:*:5..5|*:*:5..5.5
*:*:5..5.5/0.1|*:*:*.5|*:5..3|*:3..3|*:3..3/1|*:0/0|*:0/59|*:0/60|*:1/59|*:*/2|1-1|1-1-1|70-1-1|69-1-1|99-1-1|100-1-1
1970-01-01|1969-1-1|2199-12-31|2200-1-1|2199/1-1-1|2020/4-*-*|*/2-1-1|26..30-1-1|89..35/3-2-1|*-*|*-*-*|*-*-*-*|*|*-*-* *
*-*-* *:*|*-*-*  12:00|*-*-* |*-*-*T12:00| 12:00|12:00 |*-*~1|*~1|05~1|05-1~1|5~1~1|2026~1|*-*~*|*-*~28|*-*~29|*-*~1/1
*-*~28/27|*-*~28/28|*-*~7/2|*-*~1..3|*-*~3..7/2|*-*~3..8/2|*-*~7..3|*-02~28|*-*-31/1|*-*-1..31/40|*-*-30/1|*-*-1,,2|*-*-1,
*-2-29|*-2-30|Mon *-2-29|Mon 2026-05-05|@0|@5|@5000000000|@5000000000.5|@99999999999|@5 UTC|Mon @5000000000|@|12:00 UTC
12:00 utc|12:00  UTC|*-*-*  UTC|12:00 CET|12:00 CEST|12:00 Europe/Berlin|12:00 Europe/Berlin UTC|12:00 Europe/Nowhere|UTC
12:00 ../etc/passwd|12:00 Europe|12:00 zone.tab|+5:00|0x5:00|5:+1|2147483647:0|2147483648:0|99999999999999999999:0|*:0:2148
0,1,2,3:0|1:2,3/4,5..6/7:8.9|01-02-03 04:05:06|Thu,Fri 2012-*-1..5 11:12:13|Sat,Thu,Mon..Wed,Sat..Sun|10-15|Wed *-1
*-4..7,1-9 0:0|5-*-* 0:0|*-*-01/5 6..22/4:0|Sun *-*~7/1|*-*-~1|*-*--1|~1|-1:0|12:00-13:00|*:*,5|*,5:0|*-*,5
""".strip("\n").replace("\n", "|").split("|")


@pytest.mark.parametrize("base", [1_767_225_600, 1_774_700_000, 330_000_000])
def test_expressions_by_hand_are_read_alike(base):
    assert len(BY_HAND) > 150
    different = [line for i in range(0, len(BY_HAND), BATCH) for line in compare(base, BY_HAND[i:i + BATCH])]
    assert not different, "\n".join(different)


def test_the_second_pass_is_where_systemd_differs():
    base = timegm((2026, 10, 25, 1, 10, 0))
    assert systemd(base, ["*:30 Europe/Berlin"], 1) == [[timegm((2026, 10, 25, 1, 30, 0))]]
    assert ask([(base, "", "*:30 Europe/Berlin", 1)]) == [[timegm((2026, 10, 25, 2, 30, 0)) * 1_000_000]]
    for name in ("posix/Europe/Berlin", "right/UTC"):
        assert isinstance(ask([(base, "", f"12:00 {name}", 1)])[0], str), name


def cron_slots(minutes, hours, fixed, zone, begin, end):
    """Each minute of real time looked at on the local clock; what a jump skipped is made up for at a fixed time."""
    info, found, shown_until = ZoneInfo(zone), [], None
    for at in range(begin, end, 60):
        local = datetime.fromtimestamp(at, info).replace(tzinfo=None, fold=0)
        if not fixed:
            due = local.minute in minutes and local.hour in hours
        else:
            due = False
            shown_until = shown_until or local
            while shown_until <= local:
                due |= shown_until.minute in minutes and shown_until.hour in hours
                shown_until += timedelta(minutes=1)
        if due:
            found.append(at * 1_000_000)
    return found


@pytest.mark.parametrize("zone,day", [("Europe/Berlin", (2026, 3, 29)), ("Europe/Berlin", (2026, 10, 25)),
                                      ("America/New_York", (2026, 11, 1)), ("Australia/Lord_Howe", (2026, 4, 5)),
                                      ("Australia/Lord_Howe", (2026, 10, 4)), ("America/Sao_Paulo", (2018, 11, 4)),
                                      ("Pacific/Apia", (2011, 12, 30)), ("Africa/Casablanca", (2026, 2, 15))])
def test_cron_follows_the_clock(zone, day):
    r = random.Random(zone)
    begin = timegm((*day, 0, 0, 0)) - 2 * 86_400
    end = begin + 4 * 86_400
    for _ in range(20 * ROUNDS):
        minutes, hours = (sorted(r.sample(range(n), r.randint(1, 4))) for n in (60, 24 if r.random() < 0.3 else 4))
        form = r.randrange(3)
        text = f"{'*' if form == 1 else ','.join(map(str, minutes))} {'*' if form == 2 else ','.join(map(str, hours))} * * *"
        expected = cron_slots(range(60) if form == 1 else minutes, range(24) if form == 2 else hours, form == 0, zone, begin, end)
        got = ask([(begin - 1, zone, text, len(expected) + 1)])[0]
        assert [slot for slot in got if slot < end * 1_000_000] == expected, f"{text} in {zone}"
