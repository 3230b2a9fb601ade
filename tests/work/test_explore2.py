import time, os
from datetime import UTC, datetime, timedelta
from run_made import *
from hde.sandbox import whoop

def test_x(database_url, monkeypatch):
    monkeypatch.chdir("/work/tmp/xn")
    with whoop.serve(days=20, now=datetime.now(UTC)-timedelta(days=3), requests_per_minute=100000, requests_per_day=10**6) as s:
        for k,v in {**s.environment, "WHOOP_REQUESTS_PER_MINUTE":"100000"}.items(): monkeypatch.setenv(k,v)
        keep_token(s.sign_in(), account="20261118")
        def go(*args):
            o=call(*args); print("$",*args, o.code); print(o.out[-1800:]); print(o.err)
        go("run","whoop"); go("validate")
        p=Path("mappings/whoop/recoveries.yaml"); t=p.read_text()
        p.write_text(t.replace("from: slips","from: sleeps").replace("from: recoveries","from: nope")); go("run","whoop"); go("remap","whoop")
        p.write_text(t.replace("from: slips","from: sleeps").replace("key: sleep_id","key: slip_id")); go("run","whoop"); go("remap","whoop")
        p.write_text(t.replace("from: slips","from: sleeps").replace("biometrics_vitals:","biometrics_vitls:")); go("run","whoop")
        p.write_text(t.replace("from: slips","from: sleeps").replace("start_time:","starttime:")); go("run","whoop")
        p.write_text(t.replace("from: slips","from: sleeps").replace("path: score_state","path: 'score_state['")); go("run","whoop")
        p.write_text(t.replace("from: slips","from: sleeps"))
        monkeypatch.setenv("HDE_DATABASE_URL","postgresql://u:sekret@127.0.0.1:1/x"); go("run","whoop"); go("status")
        monkeypatch.setenv("HDE_DATABASE_URL","postgres//u:sekret@127.0.0.1:1/x"); go("run","whoop"); go("status")
