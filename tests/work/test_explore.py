import time
from datetime import UTC, datetime, timedelta
from run_made import *
from hde.sandbox import whoop

def test_x(database_url, monkeypatch):
    t=time.time()
    with whoop.serve(days=60, now=datetime.now(UTC)-timedelta(days=3), requests_per_minute=100000, requests_per_day=10**6) as s:
        print("serve", time.time()-t)
        for k,v in {**s.environment, "WHOOP_REQUESTS_PER_MINUTE":"100000"}.items(): monkeypatch.setenv(k,v)
        a=s.sign_in()
        keep_token(a, account="20261118")
        for i in range(3):
            t=time.time()
            o=call("run","whoop")
            print(o.code, time.time()-t); print(o.out); print(o.err)
            if i==1: s.advance(hours=30)
        print(s.total, counts(database_url,"whoop_raw",*RAW), counts(database_url,"canonical",*CANONICAL))
        t=time.time()
        print(raw_hashes(database_url), canonical_hashes(database_url), covered(database_url), time.time()-t)
        for args in (["status"],["query","SELECT * FROM meta.windows LIMIT 2"],["remap","whoop","--dry-run"],["remap","whoop"],["run","whoop","--json"],["run","whoop","--daily-refresh"],["query","SELECT '[/x]' a, ':smile:' b"],["db","url"],["migrate"],["validate"],["test"],["run","whoop","slep"],["frob"],["run","whoopp"],["auth","whoop"]):
            t=time.time(); o=call(*args); print("$",*args, o.code, round(time.time()-t,2)); print(o.out[-1800:]); print(o.err)
