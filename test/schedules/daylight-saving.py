"""Says when rules are due around changes of the clocks, by Python's zoneinfo alone: it walks every minute.

    python3 test/schedules/daylight-saving.py > test/schedules/daylight-saving.json

Made with Python 3.11 and tzdata 2025b. `zdump -v -c 2026,2027 Europe/Stockholm` shows the same changes.
"""
import json
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
# Zone, the moment of the change in UTC, a time of the day that it leaves out or repeats.
CHANGES = [
    ("Europe/Stockholm", "2026-03-29T01:00", (2, 30)),
    ("Europe/Stockholm", "2026-10-25T01:00", (2, 30)),
    ("America/New_York", "2026-03-08T07:00", (2, 30)),
    ("America/New_York", "2026-11-01T06:00", (1, 30)),
    ("America/Sao_Paulo", "2018-11-04T03:00", (0, 30)),
    ("America/Sao_Paulo", "2019-02-17T02:00", (23, 30)),
    ("Australia/Lord_Howe", "2026-10-03T15:30", (2, 15)),
    ("Australia/Lord_Howe", "2026-04-04T15:00", (1, 45)),
    ("Asia/Kathmandu", "1985-12-31T18:30", (0, 10)),
    ("Asia/Kathmandu", "2026-03-29T01:00", (2, 30)),
    ("Africa/Casablanca", "2026-02-15T02:00", (2, 30)),
    ("Africa/Casablanca", "2026-03-22T02:00", (2, 30)),
]
EVERY = range(60)


def wild(zone, first, last, minutes):
    """Whatever the local clock shows, whenever it shows it."""
    while first <= last:
        if first.astimezone(zone).minute in minutes:
            yield first
        first += MINUTE


def fixed(zone, first, last, times):
    """Each local time once a day: the first time that it comes, or when the gap ends that swallows it."""
    due = set()
    day = first.astimezone(zone).date() - timedelta(days=1)
    while day <= last.astimezone(zone).date() + timedelta(days=1):
        for hour, minute in times:
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=0)
            moment = at.astimezone(timezone.utc)
            wanted = at.replace(tzinfo=None)
            if moment.astimezone(zone).replace(tzinfo=None) != wanted:
                moment -= timedelta(days=1)
                while moment.astimezone(zone).replace(tzinfo=None) < wanted:
                    moment += MINUTE
            due.add(moment)
        day += timedelta(days=1)
    return sorted(moment for moment in due if first <= moment <= last)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def row(name, change, rule, before, after, due):
    first, last = change - timedelta(hours=before), change + timedelta(hours=after)
    return {"zone": name, "change": text(change), "rule": rule, "from": text(first), "to": text(last), "due": [text(moment) for moment in due(first, last)]}


def rows():
    for name, moment, (hour, minute) in CHANGES:
        zone, change = ZoneInfo(name), datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
        yield row(name, change, "0 * * * *", 4, 4, lambda a, b: wild(zone, a, b, {0}))
        yield row(name, change, "*/15 * * * *", 2, 2, lambda a, b: wild(zone, a, b, {0, 15, 30, 45}))
        yield row(name, change, f"{minute} {hour} * * *", 48, 72, lambda a, b: fixed(zone, a, b, [(hour, minute)]))
        times = [(hour, m) for m in (0, 20, 40)] + [((hour + 1) % 24, m) for m in (0, 20, 40)]
        yield row(name, change, f"0,20,40 {hour},{(hour + 1) % 24} * * *", 24, 48, lambda a, b: fixed(zone, a, b, times))


print("[\n" + ",\n".join(json.dumps(one) for one in rows()) + "\n]")
