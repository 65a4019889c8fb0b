"""Entries of MadGraph 7's run_card.toml that change no results."""

from __future__ import annotations

from collections.abc import Mapping

_BY_TABLE: Mapping[str, str] = {
    "run": """
        run_name device cpu_mode madspace_cpu_mode precision simd_vector_size cpu_thread_pool_size
        gpu_thread_pool_size combine_thread_pool_size output_format verbosity
    """,
    "gridpack": "save_gridpack include_source include_madspace include_madspace_source",
    "generation": """
        max_overweight_truncation freeze_max_weight_after cpu_batch_size gpu_batch_size
        survey_min_iters survey_max_iters survey_target_precision cut_efficiency_threshold
        max_cut_repetitions
    """,
    "systematics": "write_inputs",
    "vegas": """
        enable bins damping optimization_patience optimization_threshold start_batch_size
        max_batch_size
    """,
    "phasespace": """
        mode merge_subprocesses decays t_channel flat_mode combine_channel_threshold
        simplified_channel_count drop_qcd_s_channel invariant_power adaptive_symmetry_sampling
    """,
    "madnis": """
        enable flow_hidden_dim flow_layers flow_spline_bins flow_activation flow_invert_spline
        discrete_hidden_dim discrete_layers discrete_activation cwnet_hidden_dim cwnet_layers
        cwnet_activation loss train_batches log_interval batch_size_offset batch_size_per_channel
        generator_target_size_factor gpu_generator_batch_granularity lr lr_decay lr_max
        lr_scheduler adam_beta1 adam_beta2 adam_eps adam_weight_decay grad_clip_threshold train_mcw
        buffer_capacity minimum_buffer_size buffered_steps_fraction buffer_skip_batches
        buffer_unweighting_quantile uniform_channel_ratio integration_history_length
        max_stored_channel_weights channel_dropping_threshold channel_dropping_interval
        drop_zero_integrands batch_size_threshold channel_grouping_mode fixed_cwnet_fraction
        softclip_threshold compressed_channel_weight_count
    """,
}

NEUTRAL = frozenset(
    f"{table}.{name}" for table, names in _BY_TABLE.items() for name in names.split()
)
"""Names of entries, "table.key", about how MadGraph works."""

NEUTRAL_TABLES = ("histograms", "multiparticles", "cuts")
"""Tables whose keys the user chooses; groups and cuts are read by name."""
