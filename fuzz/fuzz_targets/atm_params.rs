#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    condis_fuzz::atm_params::any(data);
});
