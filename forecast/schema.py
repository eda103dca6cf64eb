"""Names of parameters, outputs, dims and groups with their units: the public contract.

Everything that crosses a border of this package (prior file, model variable, run file, summary, report)
uses the names below. ``tests/test_schema.py`` locks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date

SCHEMA_VERSION = 1
JULIAN_YEAR_SECONDS = 31_557_600.0
DAY_SECONDS = 86_400.0

SAMPLE_DIMS = ("chain", "draw")
GROUPS = (
    "prior",
    "posterior",
    "sample_stats",
    "log_likelihood",
    "log_prior",
    "observed_data",
    "constant_data",
    "forecast",
)
BLOCKS = (
    "depth_scaling",
    "utilization",
    "sample_efficiency",
    "algorithmic_progress",
    "compute",
    "deployment",
    "task_horizon",
    "research",
    "takeoff",
)


@dataclass(frozen=True)
class Variable:
    """Unit and meaning of one named quantity."""

    units: str
    definition: str
    dims: tuple[str, ...] = ()


def decimal_year(date: Date) -> float:
    """Calendar date as a decimal year: 2026-07-01 is 2026.4959 (day of the year over the year's length).

    >>> round(decimal_year(Date(2026, 7, 1)), 4)
    2026.4959
    """
    start = Date(date.year, 1, 1).toordinal()
    length = Date(date.year + 1, 1, 1).toordinal() - start
    return date.year + (date.toordinal() - start) / length


PARAMETERS: dict[str, dict[str, Variable]] = {
    "depth_scaling": {
        "depth_exponent": Variable("1", "exponent alpha of layers in parameters"),
        "reference_layers": Variable("layers", "layers at 7e10 parameters"),
        "depth_family_scale": Variable("ln layers", "scale between model families"),
        "depth_family_variate": Variable("1", "standard variate of each observed family", ("family",)),
        "depth_scatter": Variable("ln layers", "scatter within a family"),
        "layers_variate": Variable("1", "where a new model's depth falls in the scatter, in standard deviations"),
    },
    "utilization": {
        "training_utilization_2023": Variable("1", "typical training utilization at 2023.0"),
        "training_utilization_trend": Variable("logit/yr", "trend of training utilization"),
        "training_utilization_scatter": Variable("logit", "scatter between training runs"),
        "training_utilization_variate": Variable(
            "1", "where a new run's utilization falls in the scatter, in standard deviations"
        ),
        "deployment_utilization_2023": Variable("1", "typical deployment utilization at 2023.0"),
        "deployment_utilization_trend": Variable("logit/yr", "trend of deployment utilization"),
        "vendor_benchmark_gap": Variable("logit", "how far vendor benchmarks lie above deployment"),
        "deployment_utilization_scatter": Variable("logit", "scatter between deployments"),
        "deployment_utilization_variate": Variable(
            "1", "where a new deployment's utilization falls in the scatter, in standard deviations"
        ),
    },
    "sample_efficiency": {
        "loss_at_centre": Variable("nats/token", "loss at the data's geometric centre"),
        "loss_shares": Variable("1", "shares of the irreducible, parameter and token terms there", ("loss_term",)),
        "loss_params_exponent": Variable("1", "exponent of the parameter term"),
        "loss_tokens_exponent": Variable("1", "exponent of the token term"),
        "loss_scatter": Variable("ln loss", "scatter about the loss surface"),
        "tokens_per_param_2024": Variable("tokens/param", "practice of record-sized runs at 2024.0"),
        "overtraining_factor": Variable("1", "asymptote of practice over the surface's optimum"),
        "overtraining_half_life": Variable("yr", "half-life of the approach to the asymptote"),
        "tokens_per_param_scatter": Variable("ln tokens/param", "scatter between record-sized runs"),
        "tokens_per_param_variate": Variable(
            "1", "where a new run's tokens per parameter falls in the scatter, in standard deviations"
        ),
        "text_stock_tokens": Variable("tokens", "stock of usable text"),
        "text_epochs": Variable("1", "useful passes over the stock"),
        "log10_tokens_per_datapoint": Variable("log10 tokens", "log10 H at full automation"),
    },
    "algorithmic_progress": {
        "software_doubling_months": Variable("months", "doubling time of algorithmic efficiency"),
        "software_study_scale": Variable("ln months", "scale between studies"),
    },
    "compute": {
        "log10_training_flop_2024": Variable("log10 FLOP", "trend of top-3 runs at 2024.0"),
        "training_compute_growth": Variable("OOM/yr", "growth of training compute"),
        "record_offset": Variable("OOM", "how far the record lies above the top-3 trend"),
        "training_compute_scatter": Variable("OOM", "scatter of top-3 runs"),
        "log10_world_flop_per_second_2025": Variable("log10 FLOP/s", "world AI compute at 2025.0"),
        "world_compute_growth": Variable("OOM/yr", "growth of world AI compute"),
        "world_compute_scatter": Variable("OOM", "scatter of quarterly additions"),
        "log10_fleet_flop_per_second_2025": Variable("log10 FLOP/s", "leader's fleet at 2025.0"),
        "fleet_growth": Variable("OOM/yr", "growth of the leader's fleet"),
        "fleet_scatter": Variable("OOM", "scatter of yearly maxima"),
        "training_days": Variable("days", "typical duration of a frontier training run at 2023.0"),
        "training_days_trend": Variable("ln/yr", "trend of that duration, until the slowdown year"),
        "training_days_scatter": Variable("ln days", "scatter between runs"),
        "training_days_variate": Variable(
            "1", "where a new run's duration falls in the scatter, in standard deviations"
        ),
        "log10_price_performance_2022": Variable("log10 FLOP/s/USD", "data-centre chips at 2022.0"),
        "price_performance_growth": Variable("OOM/yr", "growth of hardware price-performance"),
        "price_performance_scatter": Variable("OOM", "scatter between chips"),
        "slowdown_year": Variable("yr", "when spending stops outpacing price-performance"),
        "budget_growth": Variable("OOM/yr", "growth of budgets after the slowdown"),
        "largest_run_share": Variable("1", "largest share of a fleet in one training run"),
        "largest_fleet_share": Variable("1", "largest share of the world's compute in one fleet"),
    },
    "deployment": {
        "log_stream_speed_2024": Variable("ln tokens/s", "stream of 100 layers reading its weights in 1 ms, at 2024.0"),
        "stream_depth_exponent": Variable("1", "exponent delta of stream speed in layers"),
        "stream_bandwidth_exponent": Variable("1", "exponent b of stream speed in weight-reading time"),
        "stream_speed_growth": Variable("ln/yr", "growth of stream speed from hardware and technique"),
        "stream_growth_years": Variable("yr", "years from 2024 that stream speed keeps growing"),
        "production_offset": Variable("ln tokens/s", "production streams against benchmarks at one request"),
        "stream_scatter": Variable("ln tokens/s", "scatter between deployments"),
        "stream_variate": Variable(
            "1", "where a new deployment's stream speed falls in the scatter, in standard deviations"
        ),
        "stream_utilization_exponent": Variable("1", "exponent kappa: stream speed goes as utilization^-kappa"),
        "tokens_per_researcher_year": Variable("tokens/yr", "tokens worth one researcher's working year"),
        "inference_discount": Variable("1", "factor on tokens per second from precision and distillation"),
        "inference_growth_excess": Variable(
            "1", "excess over 1/2 of eta, growth of tokens per FLOP at fixed capability"
        ),
    },
    "task_horizon": {
        "log2_horizon_at_centre": Variable("log2 min", "log2 task horizon at the data's central effective compute"),
        "horizon_doublings_per_oom": Variable(
            "doublings/OOM", "doublings of task horizon per OOM of effective compute"
        ),
        "horizon_scatter": Variable("log2 min", "scatter between models"),
        "horizon_walk_scale": Variable("log2 min/yr^0.5", "random walk of the state of the art about its trend"),
        "horizon_doubling_factor": Variable(
            "1", "superexponential form: each doubling takes this times the one before"
        ),
    },
    "research": {
        "labour_growth": Variable("ln/yr", "growth of research staff"),
        "labour_growth_scale": Variable("ln/yr", "scale of staff growth between labs"),
        "compute_share": Variable("1", "compute share of research production at as_of"),
        "returns": Variable("1", "returns to software R&D on all inputs, r = lambda/beta"),
        "returns_scale": Variable("ln", "scale of returns between fields"),
        "parallelization_exponent": Variable("1", "lambda: n parallel workers are worth n^lambda"),
        "infinite_labour_multiple": Variable("1", "research multiple with infinite labour"),
        "latency_ceiling": Variable("1", "largest speed-up while people have the ideas"),
        "leader_researchers": Variable("people", "researchers of the leading developer at as_of"),
        "researcher_growth_after": Variable("ln/yr", "growth of researchers after the slowdown"),
        "world_researchers": Variable("people", "AI researchers in the world at as_of"),
        "research_fleet_share": Variable("1", "share of the fleet that runs AI researchers"),
        "task_complementarity": Variable("1", "minus rho_t, the substitution exponent between tasks"),
        "adaptation_rate": Variable("1/yr", "rate at which practice adapts to the labour:compute ratio"),
        "mismatch_penalty": Variable("1", "psi: loss from practice lagging the labour:compute ratio"),
    },
    "takeoff": {
        "required_horizon_minutes": Variable("min", "task horizon at 50% success needed for automated coding"),
        "research_gap": Variable("OOM", "further effective compute from automated coding to all of AI R&D"),
        "automation_gap": Variable("OOM", "effective compute from 20% to 100% of AI R&D tasks"),
        "log10_software_ceiling": Variable("OOM", "largest algorithmic efficiency relative to as_of"),
        "taste_slope": Variable("OOM/OOM", "research taste per OOM of effective compute beyond full automation"),
        "taste_ceiling": Variable("1", "largest gain from taste"),
        "researchers_2012": Variable("people", "researchers of a leading group in 2012"),
    },
}

# What a prior set may state of research production, each instead of the parameter named in ALTERNATIVES, if any
PRODUCTION: dict[str, Variable] = {
    "infinite_compute_multiple": Variable("1", "research multiple with infinite compute"),
    "substitution_elasticity": Variable("1", "sigma: elasticity of substitution between labour and compute"),
    "tenth_compute_multiple": Variable("1", "research output with a tenth of the compute, as a multiple of today's"),
}
STATED = {name: variable for block in PARAMETERS.values() for name, variable in block.items()} | PRODUCTION
ALTERNATIVES = {"infinite_compute_multiple": "compute_share", "substitution_elasticity": "infinite_labour_multiple"}
DERIVED: dict[str, Variable] = {
    "effective_flop_centre": Variable("log10 FLOP", "effective compute at the centre of the task horizons"),
    "compute_exponent": Variable("1", "zeta: returns to scale of compute; that of labour where nothing is stated"),
}

SIDE_PARAMETERS: dict[str, dict[str, Variable]] = {
    "speedup": {
        "paper_months": Variable("months", "calendar time of one paper's worth of progress without AIs"),
        "paper_work_hours": Variable("h", "working time in it"),
        "working_day_hours": Variable("h", "working time in a working day"),
        "idea_time_share": Variable("1", "share of a researcher's time that goes into ideas, reading and direction"),
        "idea_help": Variable("1", "factor by which AI help shortens the time for ideas"),
        "instructions_per_paper": Variable("1", "J: instructions per paper that wait for an answer"),
        "code_latency_hours": Variable("h", "latency of an instruction that needs code only"),
        "run_latency_hours": Variable("h", "latency of an instruction that waits for a run, its code included"),
        "run_instruction_share": Variable("1", "share of instructions that wait for a run"),
        "projects_in_parallel": Variable("1", "w: projects under way at once per researcher"),
        "switching_cost_exponent": Variable("1", "w projects at once cost w to this power in attention"),
        "compute_saving": Variable("1", "compute saved per experiment by better utilization and smaller scale"),
        "experiment_cost_exponent": Variable("1", "gamma: an experiment on a model of p parameters costs p^gamma"),
        "tokens_per_paper": Variable("tokens", "tokens of AI work in one paper, in one pass"),
        "best_of_n": Variable("1", "factor on tokens for samples, tests and corrections"),
        "bound_sharpness": Variable("1", "exponent of the smooth minimum of the bounds"),
    },
    "organisations": {
        "normal_researchers": Variable("people", "researchers of NormalCorp"),
        "normal_years": Variable("yr", "time that NormalCorp has"),
        "normal_h100": Variable("H100", "compute of NormalCorp while it works"),
        "slow_researchers": Variable("people", "researchers of SlowCorp"),
        "slow_weeks": Variable("weeks", "time that SlowCorp has"),
        "slow_h100": Variable("H100", "compute of SlowCorp while it works"),
        "slow_quality": Variable("1", "output of a SlowCorp researcher relative to one of NormalCorp"),
        "slow_pretraining_factor": Variable("1", "how far SlowCorp would scale pre-training up if it had a year"),
        "automated_researchers": Variable("people", "researcher-equivalents of AutomatedCorp"),
        "automated_serial_speed": Variable("1", "serial speed of AutomatedCorp's researchers, human = 1"),
        "automated_years": Variable("yr", "calendar time that AutomatedCorp has"),
        "automated_h100": Variable("H100", "compute of AutomatedCorp while it works"),
        "experiment_days": Variable("days", "median duration of an experiment"),
        "experiment_days_scatter": Variable("ln days", "scatter of durations between experiments"),
    },
    "rival_forms": {
        "davidson_houlden_initial_speedup": Variable("1", "f: speed-up of software progress at full automation"),
        "davidson_houlden_returns": Variable("1", "r: returns to software R&D on cognitive labour"),
        "davidson_houlden_limit_years": Variable("yr", "distance to effective limits, in years of recent progress"),
        "davidson_houlden_parallel_exponent": Variable("1", "p = lambda alpha: returns to parallel labour"),
        "davidson_houlden_doubling_months": Variable("months", "T_0: recent doubling time of software"),
        "davidson_houlden_doublings_per_year": Variable("1/yr", "doublings that the form counts as a year"),
        "davidson_houlden_horizon_months": Variable("months", "time after full automation at which the form stops"),
        "ai2027_coder_speed": Variable("1", "speed of AI R&D at the superhuman coder"),
        "ai2027_researcher_speed": Variable("1", "speed at the superhuman AI researcher"),
        "ai2027_superhuman_speed": Variable("1", "speed at the superintelligent AI researcher"),
        "ai2027_superintelligence_speed": Variable("1", "speed at artificial superintelligence"),
        "ai2027_researcher_gap_years": Variable("yr", "human-only years from superhuman coder to researcher"),
        "ai2027_superhuman_gap_years": Variable("yr", "human-only years to the superintelligent researcher"),
        "ai2027_superintelligence_gap_years": Variable("yr", "human-only years from there to superintelligence"),
        "kwa_labour_share": Variable("1", "alpha/(alpha + zeta): labour's share of research elasticity"),
        "kwa_scale_exponent": Variable("1", "alpha + zeta: returns to scale of research"),
        "kwa_difficulty_exponent": Variable("1", "beta: how fast ideas get harder to find"),
        "kwa_inverse_slope": Variable("1", "1/v: ln of effective compute per logit of automation"),
        "kwa_automated_share_2026": Variable("1", "f_0: automated share of AI R&D at 2026.0"),
        "kwa_share_ceiling": Variable("1", "largest automated share that helps labour"),
        "kwa_software_growth_2026": Variable(
            "1", "factor by which software grows in a year at 2026.0, AI help included"
        ),
        "kwa_slowdown_year": Variable("yr", "when the growth of people and compute drops"),
        "kwa_labour_growth": Variable("1", "factor by which people on research grow in a year until then"),
        "kwa_labour_growth_after": Variable("1", "the same from then on"),
        "kwa_compute_growth": Variable("1", "factor by which research compute grows in a year until then"),
        "kwa_compute_growth_after": Variable("1", "the same from then on"),
        "kwa_compute_fall_year": Variable("yr", "from when on that factor falls linearly"),
        "kwa_compute_floor_year": Variable("yr", "when it has fallen to its last value"),
        "kwa_compute_growth_floor": Variable("1", "factor by which research compute grows in a year from then on"),
        "form_weight_section5": Variable(
            "1", "weight of this model's own form in the mixture, relative to the others'"
        ),
        "form_weight_section5_superexponential": Variable(
            "1", "weight of the same with superexponential task horizons"
        ),
        "form_weight_davidson_houlden2025": Variable("1", "weight of the form davidson_houlden2025 in the mixture"),
        "form_weight_ai2027": Variable("1", "weight of the form ai2027 in the mixture"),
        "form_weight_kwa2026": Variable("1", "weight of the form kwa2026 in the mixture"),
    },
    "hardware_leap": {
        "leap_system_cost_ratio": Variable("1", "cost of a training system over the cost of its run"),
        "leap_build_months": Variable("months", "time to build and install a system of a new scale"),
        "leap_finance_usd": Variable("USD", "what can be financed for one system"),
        "leap_present_system_usd": Variable("USD", "cost of the largest present system"),
        "leap_pool": Variable("1", "share of the rest of the world's compute that can be had at once"),
    },
}

YEARLY: dict[str, Variable] = {
    "log10_training_flop": Variable("log10 FLOP", "compute of the largest training run"),
    "log10_fleet_flop_per_second": Variable("log10 FLOP/s", "the leading developer's fleet, peak dense 16-bit"),
    "log10_world_flop_per_second": Variable("log10 FLOP/s", "installed AI compute of the world, peak dense 16-bit"),
    "log10_software": Variable("OOM", "algorithmic efficiency relative to as_of"),
    "log10_effective_flop": Variable(
        "log10 FLOP", "compute of the largest run in as_of algorithms, less the penalty for not being compute-optimal"
    ),
    "log10_task_horizon": Variable("log10 min", "length of tasks done at 50% success"),
    "automated_share": Variable("1", "share of AI R&D tasks that AIs can do"),
    "log10_params": Variable("log10 params", "active parameters of the model in use"),
    "layers": Variable("layers", "sequential depth of the model in use"),
    "tokens_per_param": Variable("tokens/param", "data points per parameter"),
    "training_utilization": Variable("1", "realised share of peak in training"),
    "deployment_utilization": Variable("1", "realised share of peak in deployment"),
    "log10_fleet_tokens_per_second": Variable("log10 tokens/s", "tokens per second of the whole fleet"),
    "log10_training_cluster_tokens_per_second": Variable("log10 tokens/s", "the training cluster reallocated"),
    "log10_world_tokens_per_second": Variable("log10 tokens/s", "the model in use on all the world's AI compute"),
    "log10_world_bound_tokens_per_second": Variable(
        "log10 tokens/s", "the largest share of the world's compute trains a model and then runs it"
    ),
    "stream_tokens_per_second": Variable("tokens/s", "tokens per second of one serial stream"),
    "serial_speed": Variable("1", "one stream's tokens per calendar year over a researcher's"),
    "log10_parallel_streams": Variable("log10 streams", "streams that the fleet runs at once"),
    "log10_human_equivalents": Variable("log10 people", "tokens per calendar year over a researcher's"),
    "log10_leader_ratio": Variable("log10", "human-equivalents per AI researcher of the leader"),
    "log10_world_ratio": Variable("log10", "human-equivalents per AI researcher in the world"),
}

READOUTS: dict[str, Variable] = {
    "year_20": Variable("yr", "when AIs can do 20% of AI R&D tasks"),
    "year_100": Variable("yr", "when AIs can do 100% of AI R&D tasks"),
    "takeoff_years": Variable("yr", "years from 20% to 100% automation of AI R&D"),
    "years_to_1_oom": Variable("yr", "years from 100% to +1 OOM of software"),
    "years_to_3_oom": Variable("yr", "years from 100% to +3 OOM of software"),
    "years_to_6_oom": Variable("yr", "years from 100% to +6 OOM of software"),
    "first_year_gain": Variable("OOM", "software gained in the first year after 100%"),
    "first_year_gain_human_years": Variable(
        "yr", "software gained in the first year after 100%, in years of people-only progress at as_of"
    ),
    "best_year_gain": Variable("OOM", "largest software gain in any 12 months"),
    "best_year_gain_human_years": Variable(
        "yr", "largest software gain in any 12 months, in years of people-only progress at as_of"
    ),
    "largest_speedup": Variable("1", "largest speed-up of research over people alone"),
    "log10_streams_at_automation": Variable("log10 streams", "parallel streams of the whole fleet at full automation"),
    "log10_human_equivalents_at_automation": Variable(
        "log10 people", "human-equivalents of the whole fleet at full automation"
    ),
    "log10_tokens_per_researcher_second": Variable(
        "log10 tokens/s/person", "tokens per second per human AI researcher in the world, at full automation"
    ),
}

EVENTS: dict[str, Variable] = {
    "not_automated": Variable("1", "full automation is not reached within the window"),
    "already_20": Variable("1", "20% automation is already past at as_of"),
    "takeoff_within_1_year": Variable("1", "20% to 100% takes at most 1 year"),
    "takeoff_within_3_years": Variable("1", "20% to 100% takes at most 3 years"),
    "first_year_1_oom": Variable("1", "at least 1 OOM of software in the first year after 100%"),
    "first_year_3_oom": Variable("1", "at least 3 OOM of software in the first year after 100%"),
    "best_year_3_human_years": Variable("1", "at least 3 years of people-only progress in some 12 months"),
    "best_year_10_human_years": Variable("1", "at least 10 years of people-only progress in some 12 months"),
    "acceleration": Variable("1", "the second doubling of software after 100% is shorter than the first"),
    "software_faster_than_compute": Variable("1", "software grew faster than training compute at as_of"),
    "software_faster_than_price_performance": Variable("1", "software grew faster than hardware price-performance"),
}
CONDITIONAL = frozenset(  # on full automation: NaN in a draw that does not reach it
    {
        "first_year_gain",
        "first_year_gain_human_years",
        "log10_streams_at_automation",
        "log10_human_equivalents_at_automation",
        "log10_tokens_per_researcher_second",
    }
)
CENSORED = frozenset(  # +inf where it does not come within the window
    {"year_20", "year_100", "takeoff_years", "years_to_1_oom", "years_to_3_oom", "years_to_6_oom"}
)
UNBOUNDED = frozenset({"log10_task_horizon"})  # superexponential, it passes every bound at a finite effective compute
