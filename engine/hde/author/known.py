"""Names of fields whose meaning is certain, as plain data, and the unit that a name says itself.

What is not here is never guessed: a wrong unit in a health record is worse than a field nobody mapped yet.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hde.author.names import word_list, word_set

UNIT_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(("ms", "milli", "millis", "msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), "[lb_av]"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
    **dict.fromkeys(("mile", "miles"), "[mi_i]"),
    **dict.fromkeys(("ft", "feet"), "[ft_i]"),
    **dict.fromkeys(("kcal", "kcals", "kilocalorie", "kilocalories"), "kcal"),
    **dict.fromkeys(("kj", "kilojoule", "kilojoules"), "kJ"),
    **dict.fromkeys(("celsius", "degc"), "Cel"),
    **dict.fromkeys(("fahrenheit", "degf"), "[degF]"),
    **dict.fromkeys(("percent", "percentage", "pct"), "%"),
    **dict.fromkeys(("bpm", "brpm", "rpm"), "/min"),
    "mmhg": "mm[Hg]",
}
"""The last word of a name -> UCUM. `min` is no unit here: it is a minimum as often."""


SPANS: Final = word_set("milliseconds seconds minutes hours")
"""Those that stand before what they measure as well: `minutesAsleep`."""


class Known(NamedTuple):
    """A metric or a canonical column, and the names (without a unit) that mean it."""

    target: str
    names: str
    """As snake case, several separated by spaces."""
    unit: str | None = None
    """Its unit where the name says none; None: it must."""
    sure: tuple[float, float] | None = None
    """Without a unit in its name it counts only where all its values lie in here. None: the name is enough."""
    spans: bool = False
    """It is about an interval: without an end it means something else."""
    usual: float = 1
    """A value as a grown person has it, for records that are made up."""


METRICS: Final = (
    Known("heart_rate", "heart_rate hr pulse pulse_rate heartrate beats", "/min", usual=60),
    Known("resting_heart_rate", "resting_heart_rate resting_hr rhr resting_pulse", "/min", usual=55),
    Known(
        "heart_rate_mean",
        """average_heart_rate avg_heart_rate mean_heart_rate average_hr avg_hr mean_hr heart_rate_average heart_rate_avg
        heart_rate_mean hr_average hr_avg hr_mean""",
        "/min",
        spans=True,
        usual=65,
    ),
    Known(
        "heart_rate_max",
        "max_heart_rate maximum_heart_rate max_hr heart_rate_max hr_max",
        "/min",
        spans=True,
        usual=120,
    ),
    Known("hrv_rmssd", "rmssd hrv_rmssd rmssd_hrv", "ms", (5, 400), usual=50),
    Known("hrv_sdnn", "sdnn hrv_sdnn sdnn_hrv", "ms", (5, 400), usual=50),
    Known("spo2", "spo2 sp_o2 oxygen_saturation blood_oxygen blood_oxygen_saturation", "%", (50, 100), usual=97),
    Known("skin_temperature", "skin_temp skin_temperature", "Cel", (20, 45), usual=34),
    Known(
        "body_temperature",
        "body_temp body_temperature core_temperature core_body_temperature",
        "Cel",
        (30, 45),
        usual=36.5,
    ),
    Known("respiratory_rate", "respiratory_rate respiration_rate breathing_rate", "/min", usual=15),
    Known("systolic_blood_pressure", "systolic systolic_blood_pressure systolic_bp", "mm[Hg]", (60, 300), usual=120),
    Known("diastolic_blood_pressure", "diastolic diastolic_blood_pressure diastolic_bp", "mm[Hg]", (30, 200), usual=80),
    Known(
        "energy",
        "energy energy_burned calories calories_burned active_energy total_energy energy_expended",
        spans=True,
        usual=500,
    ),
    Known("steps", "steps step_count steps_count total_steps num_steps", "{steps}", spans=True, usual=8000),
    Known("weight", "weight body_weight body_mass", usual=70),
    Known("height", "height body_height", usual=1.75),
)
"""`kilojoule` and `bpm` alone are a unit without a name: see `ALONE`."""

ALONE: Final = {"kJ": "energy", "kcal": "energy", "/min": "heart_rate"}
"""Names that are nothing but a unit, and the metric they mean. `rpm`, `percent` and the like say too little."""
ALONE_NAMES: Final = word_set("kilojoule kilojoules kj kcal kcals kilocalories bpm")

SLEEP: Final = (
    Known("in_bed", "in_bed"),
    Known("asleep", "asleep"),
    Known("awake", "awake"),
    Known("light", "light"),
    Known("deep", "deep slow_wave"),
    Known("rem", "rem"),
    Known("no_data", "no_data"),
    Known("latency", "latency onset_latency to_fall_asleep"),
    Known("efficiency", "efficiency", "%", (30, 100)),
    Known("respiratory_rate", "respiratory_rate respiration_rate breathing_rate", "/min"),
)
SLEEP_FILLERS: Final = frozenset({"total", "time", "duration", "sleep"})
"""Words of a sleep's fields that say nothing more: `total_light_sleep_time_milli` is `light`."""

WORKOUT: Final = (
    Known("energy", "energy energy_burned calories calories_burned active_energy total_energy energy_expended"),
    Known(
        "average_heart_rate",
        "average_heart_rate avg_heart_rate mean_heart_rate average_hr avg_hr heart_rate_avg",
        "/min",
    ),
    Known("max_heart_rate", "max_heart_rate maximum_heart_rate max_hr heart_rate_max hr_max", "/min"),
    Known("distance", "distance total_distance"),
    Known("climb", "altitude_gain elevation_gain climb total_elevation_gain total_ascent ascent"),
)

NAPS: Final = frozenset({"nap", "is_nap"})
SPORTS: Final = word_set(
    """sport sport_name sport_type activity_type workout_type exercise_type activity_name
"""
)
IDENTITY: Final = {
    "given_name": frozenset({"first_name", "given_name", "firstname"}),
    "family_name": frozenset({"last_name", "family_name", "surname", "lastname"}),
    "email": frozenset({"email", "email_address"}),
    "birth_date": frozenset({"birth_date", "birthdate", "date_of_birth", "birthday", "dob"}),
    "sex": frozenset({"sex"}),
}
STARTS: Final = word_list(
    """start start_time started_at start_at start_date start_datetime start_date_time starttime begin
    begin_time bedtime_start start_timestamp begin_at"""
)
INSTANTS: Final = word_list(
    """measured_at recorded_at taken_at observed_at sampled_at timestamp time date_time datetime
    measurement_time measured_time at effective_date_time sample_time"""
)
ENDS: Final = word_list(
    """end end_time ended_at end_at end_date end_datetime end_date_time endtime finish bedtime_end
    end_timestamp"""
)
OFFSETS: Final = word_set("timezone_offset utc_offset tz_offset time_zone_offset offset")

OF_SLEEP: Final = frozenset({"sleep", "sleeps", "night", "nights"})
OF_WORKOUT: Final = frozenset({"workout", "workouts", "exercise", "exercises", "training", "trainings", "run", "runs"})
MAYBE_WORKOUT: Final = frozenset({"activity", "activities", "session", "sessions"})
OF_PERSON: Final = frozenset(
    {"user", "users", "profile", "profiles", "me", "person", "personal", "member", "account", "athlete"}
)

JUDGED: Final = word_set(
    """contributor contributors score scores scoring goal goals target targets percentile percentiles rating ratings
    rank ranks ranking baseline baselines threshold thresholds zone zones limit limits norm norms normal reference
    recommendation recommendations recommended ideal optimal expected planned predicted prediction predictions forecast
    points deviation deviations trend trends preferences"""
)
"""Words of an object's name: what is in it is a share of a score, an aim or a bound, whatever it is called there."""

UNSURE: Final = {
    "calories": "not mapped yet (energy in cal or kcal?)",
    "energy": "not mapped yet (energy in which unit?)",
    "weight": "not mapped yet (weight in which unit?)",
    "height": "not mapped yet (height in which unit?)",
    "temperature": "not mapped yet (of body or skin?)",
    "distance": "not mapped yet (distance in which unit?)",
    "hrv": "not mapped yet (RMSSD or SDNN?)",
    "duration": "not mapped yet (in which unit?)",
}
"""Fields an author will want, and what must be known first."""
NOT_YET: Final = "not mapped yet"
