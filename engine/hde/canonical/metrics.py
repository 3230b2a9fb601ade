"""The metrics of `biometrics_vitals`: what a measured number is called, its unit, code, statistic and method.

LOINC codes stand only where the pair of code and meaning was verified; HRV by RMSSD has none (80404-7 is SDNN).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    """UCUM."""
    about: str
    loinc: str | None = None
    statistic: str = "sample"
    """sample, mean, max, min, total."""
    method: str | None = None
    low: float | None = None
    high: float | None = None
    """Outside low..high the value is kept and an issue of level warning says so."""


_LIST = (
    Metric("recovery", "%", "readiness score of a wearable after sleep", low=0, high=100),
    Metric("strain", "{score}", "cardiovascular load score of a day, on the source's own scale", low=0),
    Metric("resting_heart_rate", "/min", "resting heart rate", "40443-4", low=20, high=200),
    Metric("heart_rate", "/min", "heart rate", "8867-4", low=20, high=300),
    Metric("heart_rate_mean", "/min", "mean heart rate over the interval", "8867-4", "mean", low=20, high=300),
    Metric("heart_rate_max", "/min", "highest heart rate in the interval", "8867-4", "max", low=20, high=300),
    Metric("max_heart_rate", "/min", "the person's maximum heart rate, as estimated by the source", low=60, high=300),
    Metric("hrv_rmssd", "ms", "heart rate variability, RMSSD", method="RMSSD", low=0, high=500),
    Metric("hrv_sdnn", "ms", "heart rate variability, SDNN", "80404-7", method="SDNN", low=0, high=500),
    Metric("spo2", "%", "oxygen saturation by pulse oximetry", "59408-5", low=50, high=100),
    Metric("skin_temperature", "Cel", "temperature of the skin", low=10, high=45),
    Metric("body_temperature", "Cel", "body temperature", "8310-5", low=25, high=45),
    Metric("respiratory_rate", "/min", "breaths per minute", "9279-1", low=2, high=80),
    Metric("systolic_blood_pressure", "mm[Hg]", "systolic blood pressure", "8480-6", low=30, high=350),
    Metric("diastolic_blood_pressure", "mm[Hg]", "diastolic blood pressure", "8462-4", low=10, high=250),
    Metric("energy", "kcal", "energy expended over the interval", statistic="total", low=0, high=50_000),
    Metric("steps", "{steps}", "steps taken over the interval", "55423-8", "total", low=0, high=300_000),
    Metric("weight", "kg", "body weight", "29463-7", low=0.2, high=650),
    Metric("bmi", "kg/m2", "body mass index", "39156-5", low=5, high=150),
    Metric("height", "m", "body height", "8302-2", low=0.2, high=2.8),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _LIST}
